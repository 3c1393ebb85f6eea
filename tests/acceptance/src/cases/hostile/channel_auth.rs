use crate::support::server::API_KEY;
use crate::support::target::{Target, brackets, request};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn only_the_callers_own_channel_is_signed() {
    let mut target = Target::start().await;
    let ada = target.ada.clone();
    let body =
        |socket: Value, channel: Value| json!({"socket_id": socket, "channel_name": channel}).to_string();
    let channel = |name: &str| body(json!("1.1"), json!(name));
    let socket = |socket: Value| body(socket, json!("private-ada"));
    let mut cases: Vec<(u16, String)> = vec![
        (200, channel("private-ada")),
        (200, "socket_id=1.1&channel_name=private-ada".to_owned()),
        (200, r#"{"socketId":"1.1","channelName":"private-ada"}"#.to_owned()),
    ];
    for name in [
        "private-bob",
        "private-adam",
        "private-ad",
        "private-",
        "private-Ada",
        "PRIVATE-ada",
        "presence-ada",
        "private-encrypted-ada",
        "private-cache-ada",
        "ada",
        "private-ada;",
    ] {
        cases.push((403, channel(name)));
    }
    for name in [
        "private-ada ",
        "private-ada\n",
        "private-ada\0",
        "private-ada:1",
        "#private-ada",
        "private-ädä",
        &"a".repeat(165),
    ] {
        cases.push((422, channel(name)));
    }
    for id in [
        "1",
        "1.",
        ".1",
        "a.b",
        "1.1:private-bob",
        "1.1\n",
        " 1.1",
        "-1.1",
        "1.1.1",
        &format!("1.{}", "1".repeat(99)),
    ] {
        cases.push((422, socket(json!(id))));
    }
    for wrong in [json!(1.1), json!(["1.1"]), json!({}), json!(true)] {
        cases.push((422, socket(wrong.clone())));
        cases.push((422, body(json!("1.1"), wrong)));
    }
    for missing in [
        "",
        "{}",
        "socket_id=1.1",
        "channel_name=private-ada",
        "socket_id=&channel_name=",
        r#"{"socket_id":null,"channel_name":null}"#,
    ] {
        cases.push((400, missing.to_owned()));
    }
    for malformed in [
        "{",
        r#"{"socket_id":"1.1","channel_name":"private-ada""#,
        "\0",
        &brackets(2_000),
        &"{\"a\":".repeat(800),
    ] {
        cases.push((400, malformed.to_owned()));
    }
    cases.push((400, "socket_id=1.1&channel_name=private-ada&channel_name=private-bob".to_owned()));
    cases.push((422, "socket_id=%ff&channel_name=private-ada".to_owned()));
    cases.push((413, "a".repeat(4_097)));
    cases.push((413, "a".repeat(3 << 20)));
    for path in ["/pusher/auth", "/pusher/authorize", "/broadcasting/auth"] {
        for (status, body) in &cases {
            let what: String = format!("{path} {body:?}").chars().take(90).collect();
            target.expect(&what, *status, request("POST", path, &ada, body.clone())).await;
        }
        let twice = r#"{"socket_id":"1.1","channel_name":"private-ada","channelName":"private-bob"}"#;
        target.expect("two channels", 422, request("POST", path, &ada, twice)).await;
        target.expect("a backend", 403, request("POST", path, API_KEY, channel("private-ada"))).await;
    }
    target.assert_unharmed().await;
}
