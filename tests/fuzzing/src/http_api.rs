//! Requests to the broker's HTTP API, signed and unsigned.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, Uri};
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use pusher_broker::{Broker, Signer};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceExt;

use crate::broker::{NOW, signer};
use crate::{broker, runtime};

/// Sends the request three times: as it is, signed with another secret, and correctly signed. The
/// first line is the method and the target, the rest is the body.
pub fn run(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let line = parts.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let body = parts.next().unwrap_or_default();
    let Some((method, target)) = line.split_once(' ') else { return };
    let (Ok(method), Ok(uri)) = (method.parse::<Method>(), target.parse::<Uri>()) else { return };
    if uri.path_and_query().is_none() {
        return;
    }
    runtime::new().block_on(send_thrice(&method, &uri, body));
}

/// Returns the answer to the correctly signed request, if it can be signed.
async fn send_thrice(method: &Method, uri: &Uri, body: &[u8]) -> Option<StatusCode> {
    let broker = broker::new();
    occupy(&broker).await;
    let (status, _) = ask(&broker, method, uri, body).await;
    assert!(!status.is_success(), "{status} without a signature");
    if let Some(forged) = signed(&Signer::new("app-key", "guessed"), method, uri, body) {
        let (status, _) = ask(&broker, method, &forged, body).await;
        assert!(!status.is_success(), "{status} with a wrong signature");
    }
    let right = signed(&signer(), method, uri, body)?;
    let (status, answer) = ask(&broker, method, &right, body).await;
    assert_ne!(status, StatusCode::UNAUTHORIZED, "{}", String::from_utf8_lossy(&answer));
    if status.is_success() && *method != Method::HEAD {
        serde_json::from_slice::<Value>(&answer).expect("a successful answer is JSON");
    }
    Some(status)
}

/// Connects a client, so that there are channels to list and a subscriber to publish to.
async fn occupy(broker: &Broker) {
    let (mut socket, id) = broker::connect(broker).await;
    let channel = "presence-room".parse().unwrap();
    let user = r#"{"user_id":"ada"}"#;
    let auth = signer().authorize_channel(&id, &channel, Some(user)).unwrap().auth;
    let signin = signer().authenticate_user(&id, r#"{"id":"ada"}"#).unwrap().auth;
    for frame in [
        json!({"event": "pusher:subscribe", "data": {"channel": channel.as_str(), "auth": auth, "channel_data": user}}),
        json!({"event": "pusher:subscribe", "data": {"channel": "news"}}),
        json!({"event": "pusher:signin", "data": {"auth": signin, "user_data": r#"{"id":"ada"}"#}}),
    ] {
        socket.send(Message::text(frame.to_string())).await.unwrap();
    }
    tokio::spawn(async move { while let Some(Ok(_)) = socket.next().await {} });
    runtime::settle().await;
}

/// Returns the target with its signature, or `None` if the signer refuses it.
fn signed(signer: &Signer, method: &Method, uri: &Uri, body: &[u8]) -> Option<Uri> {
    let given: Vec<(String, String)> = serde_urlencoded::from_str(uri.query().unwrap_or_default()).ok()?;
    let query: Vec<_> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let request = pusher_signer::Request::new(method.as_str(), uri.path()).with_query(&query).with_body(body);
    let query = signer.sign_request(&request, NOW).ok()?;
    format!("{}?{}", uri.path(), serde_urlencoded::to_string(query).ok()?).parse().ok()
}

async fn ask(broker: &Broker, method: &Method, uri: &Uri, body: &[u8]) -> (StatusCode, Vec<u8>) {
    let request = Request::builder().method(method).uri(uri).body(Body::from(body.to_vec())).unwrap();
    let answer = broker.router().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(!status.is_server_error(), "{status}: {}", String::from_utf8_lossy(&body));
    (status, body.to_vec())
}

#[test]
fn a_correctly_signed_request_succeeds() {
    let body = br#"{"name":"e","channels":["news"],"data":"x"}"#;
    let ask = |method, target: &str, body| {
        runtime::new().block_on(send_thrice(&method, &target.parse().unwrap(), body))
    };
    assert_eq!(ask(Method::POST, "/apps/3/events", body), Some(StatusCode::OK));
    assert_eq!(
        ask(Method::GET, "/apps/3/channels?filter_by_prefix=presence-&info=user_count", b""),
        Some(StatusCode::OK)
    );
    assert_eq!(ask(Method::POST, "/apps/3/users/ada/terminate_connections", b""), Some(StatusCode::OK));
}
