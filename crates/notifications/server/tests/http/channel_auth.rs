use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, TestApp, send};

async fn ask(app: &TestApp, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    ask_at(app, "/pusher/auth", kind, body).await
}

async fn ask_at(app: &TestApp, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = app.request(Method::POST, path).bearer_auth(app.token("ada"));
    send(request.header("content-type", kind).body(body)).await
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[tokio::test]
async fn the_callers_own_channel_is_signed_whatever_the_client_sends() {
    let app = TestApp::start().await;
    let realtime = app.get("ada", "/v1/realtime").await.body;
    assert_eq!(realtime["channel"], "private-ada");
    let key = realtime["key"].as_str().unwrap();
    let mut signatures = Vec::new();
    for path in ["/pusher/auth", "/pusher/authorize", "/broadcasting/auth"] {
        for (kind, body) in [
            (FORM, "socket_id=1.2&channel_name=private-ada"),
            (FORM, "socketId=1.2&channelName=private%2Dada&more=x"),
            ("", "socket_id=1.2&channel_name=private-ada"),
            (JSON, r#"{"socket_id":"1.2","channel_name":"private-ada"}"#),
            (JSON, r#" {"channelName":"private-ada","socketId":"1.2","more":{}}"#),
            (FORM, r#"{"socket_id":"1.2","channel_name":"private-ada"}"#),
        ] {
            let answer = ask_at(&app, path, kind, body).await;
            assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
            assert_eq!(answer.header("content-type"), JSON);
            let keys: Vec<_> = answer.body.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["auth"]);
            signatures.push(answer.body["auth"].as_str().unwrap().to_owned());
        }
    }
    signatures.dedup();
    let [auth] = &*signatures else { panic!("one signature: {signatures:?}") };
    let (signed_with, hex) = auth.split_once(':').unwrap();
    assert!(signed_with == key && hex.len() == 64, "{auth}");
}

#[tokio::test]
async fn no_other_channel_is_signed() {
    let app = TestApp::start().await;
    for channel in [
        "private-bob",
        "private-ada2",
        "private-",
        "presence-ada",
        "presence-private-ada",
        "ada",
        "private-encrypted-ada",
        "private-cache-ada",
        "PRIVATE-ada",
    ] {
        let answer = ask(&app, JSON, json!({"socket_id": "1.2", "channel_name": channel}).to_string()).await;
        assert_eq!(answer.problem(), (403, "forbidden"), "{channel}");
    }
}

#[tokio::test]
async fn malformed_requests_are_not_signed() {
    let app = TestApp::start().await;
    for body in [
        "",
        "{",
        "[]",
        "socket_id=1.2",
        "channel_name=private-ada",
        "socket_id=&channel_name=private-ada",
        r#"{"socket_id":"1.2"}"#,
        r#"{"socket_id":null,"channel_name":"private-ada"}"#,
        "{\"a\":\u{1}}",
        "socket_id=1.2&socket_id=1.3&channel_name=private-ada",
    ] {
        assert_eq!(ask(&app, FORM, body).await.problem(), (400, "malformed"), "{body}");
    }
    for (socket, channel) in [
        ("1.2:private-bob", "private-ada"),
        ("12", "private-ada"),
        ("1.x", "private-ada"),
        ("1.2\n", "private-ada"),
        ("1.2", "private-ada:x"),
        ("1.2", "private ada"),
        ("1.2", "private-ada\u{0}"),
        ("1.2", &"x".repeat(165)),
    ] {
        let body = json!({"socket_id": socket, "channel_name": channel}).to_string();
        assert_eq!(ask(&app, JSON, body).await.problem(), (422, "invalid"), "{socket} {channel}");
    }
    for body in
        [r#"{"socket_id":1.2,"channel_name":"private-ada"}"#, r#"{"socket_id":["1.2"],"channel_name":{}}"#]
    {
        assert_eq!(ask(&app, JSON, body).await.problem(), (422, "invalid"), "{body}");
    }
    assert_eq!(ask(&app, FORM, vec![0xff, 0xfe, 0]).await.status, 400);
    let ignored = b"{\"socket_id\":\"1.2\",\"channel_name\":\"private-ada\",\"more\":\"\xff\"}";
    assert_eq!(ask(&app, JSON, ignored.to_vec()).await.problem(), (400, "malformed"));
}

#[tokio::test]
async fn prefix_and_user_together_must_make_a_private_channel() {
    let app = TestApp::start_with(|config| {
        config.channel_prefix =
            internal_notifications_server::config::ChannelPrefix::new("private-enc").unwrap();
    })
    .await;
    let request = app.request(Method::POST, "/pusher/auth").bearer_auth(app.token("rypted-x"));
    let body = json!({"socket_id": "1.2", "channel_name": "private-encrypted-x"});
    assert_eq!(send(request.json(&body)).await.problem(), (422, "invalid"));
    assert_eq!(app.get("rypted-x", "/v1/realtime").await.status, 422);
    assert_eq!(app.push(&["ada", "rypted-x"], json!({"content": "c"})).await.problem(), (422, "invalid"));
    let body = json!({"socket_id": "1.2", "channel_name": "private-encada"});
    assert_eq!(app.post("ada", "/pusher/auth", body).await.status, 200);
}
