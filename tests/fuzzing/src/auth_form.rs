//! Bodies of requests for a signature, sent to the server's auth endpoints.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use internal_notifications_server::auth::{AuthError, Authenticator};
use internal_notifications_server::config::{Config, EmbeddedConfig};
use internal_notifications_server::store::memory::{MemoryData, MemoryOptions, MemoryStore};
use internal_notifications_server::{Node, Principal, SystemClock};
use pusher_protocol::{ChannelName, SocketId};
use serde_json::Value;
use tower::ServiceExt;

use crate::broker::signer;
use crate::runtime;

/// The user of every token.
const USER: &str = "ada";
const OWN_CHANNEL: &str = "private-ada";

/// Sends the input as the body to both routes.
pub fn run(input: &[u8]) {
    let (channel, user) = runtime::new().block_on(answers(input));
    if let Some(answer) = channel {
        let requested = given(input, &["channel_name", "channelName"]);
        assert_eq!(requested, [OWN_CHANNEL], "signed another channel than the requested one");
        let own: ChannelName = OWN_CHANNEL.parse().unwrap();
        let auth = answer["auth"].as_str().unwrap();
        let verified = |socket: &SocketId| signer().verify_channel(auth, socket, &own, None).is_ok();
        assert!(socket(input).is_some_and(|socket| verified(&socket)), "signed something else: {answer}");
    }
    if let Some(answer) = user {
        let user_data = answer["user_data"].as_str().unwrap();
        assert_eq!(user_data, format!(r#"{{"id":"{USER}"}}"#));
        let auth = answer["auth"].as_str().unwrap();
        let verified = |socket: &SocketId| signer().verify_user(auth, socket, user_data).is_ok();
        assert!(socket(input).is_some_and(|socket| verified(&socket)), "signed something else: {answer}");
    }
}

/// Returns the answers for the channel and for the sign-in, if they were granted.
async fn answers(body: &[u8]) -> (Option<Value>, Option<Value>) {
    let node = node().await;
    let router = node.router();
    (ask(&router, "/pusher/auth", body).await, ask(&router, "/pusher/user-auth", body).await)
}

async fn node() -> Node {
    let store = MemoryStore::open(MemoryData::new(Arc::new(SystemClock)), MemoryOptions::default());
    // The app of `signer`.
    let broker = EmbeddedConfig::new().with_app("app", "app-key", "app-secret");
    let config = Config::new().with_realtime(broker);
    Node::builder(Arc::new(store)).config(config).authenticator(AlwaysAda).start().await.unwrap()
}

struct AlwaysAda;

#[async_trait]
impl Authenticator for AlwaysAda {
    async fn authenticate(&self, _: &str) -> Result<Principal, AuthError> {
        Ok(Principal::user(USER.parse().unwrap()))
    }
}

/// Returns the JSON of the answer, if the request was granted.
async fn ask(router: &Router, path: &str, body: &[u8]) -> Option<Value> {
    let request = Request::post(path).header("host", "inbox.test").header("authorization", "Bearer token");
    let request = request.body(Body::from(body.to_vec())).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(status == StatusCode::OK || status.is_client_error(), "{status}: {body:?}");
    (status == StatusCode::OK).then(|| serde_json::from_slice(&body).unwrap())
}

/// Returns the socket id of a granted body.
fn socket(body: &[u8]) -> Option<SocketId> {
    match given(body, &["socket_id", "socketId"]).as_slice() {
        [one] => one.parse().ok(),
        _ => None,
    }
}

/// Returns the values of a field under any of its names, read without the server's code.
fn given(body: &[u8], names: &[&str]) -> Vec<String> {
    if let Ok(Value::Object(fields)) = serde_json::from_slice(body) {
        let values = fields.into_iter().filter(|(name, _)| names.contains(&name.as_str()));
        return values.filter_map(|(_, value)| value.as_str().map(str::to_owned)).collect();
    }
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(body).unwrap_or_default();
    fields.into_iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value).collect()
}

#[test]
fn a_valid_body_is_granted() {
    let answers = |body| runtime::new().block_on(answers(body));
    let (channel, user) = answers(b"socket_id=1.2&channel_name=private-ada");
    assert!(channel.is_some() && user.is_some());
    let (channel, user) = answers(br#"{"socketId":"1.2","channelName":"private-bob"}"#);
    assert!(channel.is_none() && user.is_some());
}
