use crate::support::server::{APP_ID, APP_KEY, APP_SECRET};
use crate::support::target::{Target, brackets, with_headers};
use crate::support::tokens::now;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use pusher_signer::Signer;
use serde_json::{Value, json};

const EVENT: &str = r#"{"name":"of-nobody","channel":"some-channel","data":"{}"}"#;

fn query(path: &str, body: &[u8], secret: &str, key: &str, at: u64) -> Vec<(String, String)> {
    let request = pusher_signer::Request::new("POST", path).with_body(body);
    Signer::new(key, secret).sign_request(&request, at).unwrap()
}

fn signed(path: &str, query: &[(String, String)], body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers = [("host", "localhost"), ("content-type", "application/json")];
    with_headers("POST", &format!("{path}?{}", query.join("&")), &headers, body)
}

fn good_query(path: &str, body: &[u8]) -> Vec<(String, String)> {
    query(path, body, APP_SECRET, APP_KEY, now())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_a_recent_signature_by_the_secret_are_rejected() {
    let mut target = Target::start().await;
    for name in ["events", "batch_events"] {
        let path = format!("/apps/{APP_ID}/{name}");
        let event = if name == "events" { EVENT.to_owned() } else { format!(r#"{{"batch":[{EVENT}]}}"#) };
        let event = event.as_bytes().to_vec();
        let fine = good_query(&path, &event);
        target.expect_plain("a valid request", 200, signed(&path, &fine, event.clone())).await;
        for (what, at) in
            [("stale", now() - 601), ("of the future", now() + 602), ("of 1970", 0), ("at no time", u64::MAX)]
        {
            target
                .expect_plain(
                    what,
                    401,
                    signed(&path, &query(&path, &event, APP_SECRET, APP_KEY, at), event.clone()),
                )
                .await;
        }
        let another = query(&path, &event, "another-secret", APP_KEY, now());
        target.expect_plain("another secret", 401, signed(&path, &another, event.clone())).await;
        let another = query(&path, &event, APP_SECRET, "another-key", now());
        target.expect_plain("another key", 401, signed(&path, &another, event.clone())).await;
        target
            .expect_plain("another body", 401, signed(&path, &fine, EVENT.replace("nobody", "somebody")))
            .await;
        target.expect_plain("no body", 401, signed(&path, &fine, "")).await;
        target.expect_plain("no query", 401, signed(&path, &[], event.clone())).await;
        let other = if name == "events" { "batch_events" } else { "events" };
        let other = format!("/apps/{APP_ID}/{other}");
        target.expect_plain("another path", 401, signed(&other, &fine, event.clone())).await;
        for (at, (name, value)) in fine.iter().enumerate() {
            let mut changed = fine.clone();
            changed[at].1 = format!("{value}0");
            target
                .expect_plain(&format!("another {name}"), 401, signed(&path, &changed, event.clone()))
                .await;
            changed.remove(at);
            target.expect_plain(&format!("no {name}"), 401, signed(&path, &changed, event.clone())).await;
            changed.extend([fine[at].clone(), fine[at].clone()]);
            target.expect_plain(&format!("{name} twice"), 401, signed(&path, &changed, event.clone())).await;
        }
        let foreign = format!("/apps/{APP_ID}0/{name}");
        target
            .expect_plain("another app", 404, signed(&foreign, &good_query(&foreign, &event), event.clone()))
            .await;
    }
    target.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_requests_with_a_bad_body_are_rejected() {
    let mut target = Target::start().await;
    let with = |name: &str, value: Value| {
        let mut event: Value = serde_json::from_str(EVENT).unwrap();
        event[name] = value;
        event.to_string()
    };
    let channels = |channels: Value| json!({"name": "e", "channels": channels, "data": "{}"}).to_string();
    let event: Value = serde_json::from_str(EVENT).unwrap();
    let batch = |count| json!({"batch": vec![event.clone(); count]}).to_string();
    let mut cases: Vec<(&str, u16, String)> = Vec::new();
    for name in [json!(""), json!(null), json!(1), json!("e".repeat(201))] {
        cases.push(("events", 400, with("name", name)));
    }
    for data in [json!(null), json!({}), json!(1)] {
        cases.push(("events", 400, with("data", data)));
    }
    for channel in ["", "a b", "a:b", "ä", "\0", &"c".repeat(165)] {
        cases.push(("events", 400, with("channel", json!(channel))));
    }
    for socket in [json!("1"), json!("a.b"), json!(1.1), json!("1.1:private-ada")] {
        cases.push(("events", 400, with("socket_id", socket)));
    }
    for wrong in [
        json!([]),
        json!("c"),
        json!([1]),
        json!([["c"]]),
        json!((0..101).map(|number| format!("c{number}")).collect::<Vec<_>>()),
    ] {
        cases.push(("events", 400, channels(wrong)));
    }
    for body in [
        "",
        "null",
        "[]",
        "1",
        "{",
        "\0",
        &EVENT[..40],
        &brackets(20_000),
        &"{\"a\":".repeat(20_000),
        r#"{"name":"e","data":"{}"}"#,
    ] {
        cases.extend(["events", "batch_events"].map(|route| (route, 400, body.to_owned())));
    }
    cases.push(("events", 413, with("data", json!("x".repeat(10_241)))));
    cases.push(("events", 413, " ".repeat(3 << 20)));
    cases.push(("batch_events", 413, " ".repeat(3 << 20)));
    cases.push(("batch_events", 400, batch(11)));
    cases.push(("batch_events", 200, batch(10)));
    cases.push(("batch_events", 400, json!({"batch": event}).to_string()));
    cases.push(("batch_events", 400, json!({"batch": [event, {"name": "e"}]}).to_string()));
    cases.push((
        "batch_events",
        413,
        json!({"batch": [serde_json::from_str::<Value>(&with("data", json!("x".repeat(10_241)))).unwrap()]})
            .to_string(),
    ));
    for (route, status, body) in cases {
        let path = format!("/apps/{APP_ID}/{route}");
        let what: String = format!("{route} {body:?}").chars().take(90).collect();
        target.expect_plain(&what, status, signed(&path, &good_query(&path, body.as_bytes()), body)).await;
    }
    target.assert_unharmed().await;
}

/// Sends a validly signed event, and returns its signatures.
pub(crate) async fn good_event(server: &crate::support::server::Server, data: &str) -> Vec<String> {
    send(server, data, APP_SECRET, 200).await
}

/// Sends an event with a wrong signature, and returns its signatures.
pub(crate) async fn wrong_event(server: &crate::support::server::Server, data: &str) -> Vec<String> {
    send(server, data, "another-secret", 401).await
}

async fn send(server: &crate::support::server::Server, data: &str, secret: &str, status: u16) -> Vec<String> {
    let path = format!("/apps/{APP_ID}/events");
    let body = json!({"name": "of-nobody", "channel": "some-channel", "data": data}).to_string();
    let query = query(&path, body.as_bytes(), secret, APP_KEY, now());
    let answer = black_box_support::Http::to(server.address).send(signed(&path, &query, body)).await.unwrap();
    assert_eq!(answer.status, status, "{answer:?}");
    query.into_iter().filter(|(name, _)| name == "auth_signature").map(|(_, value)| value).collect()
}
