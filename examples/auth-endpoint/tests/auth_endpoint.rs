//! Runs the backend, and checks its signatures with a Channels server.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use pusher_broker::{Broker, Signer};
use pusher_client::{ChannelEvent, Client, HttpAuthorizer, Roots, Subscription};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// The backend's process, killed when dropped.
struct Backend {
    url: String,
    _process: Child,
}

impl Backend {
    async fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_auth_endpoint"));
        process.arg("127.0.0.1:0").env("SESSIONS", "adas-session=ada&bobs-session=bob");
        process.env("PUSHER_APP_KEY", "key").env("PUSHER_APP_SECRET", "secret");
        let mut process = process.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let line = BufReader::new(process.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
        let address = line.strip_prefix("listening on ").unwrap();
        Self { url: format!("http://{address}/pusher/auth"), _process: process }
    }

    /// Returns the status and body of the answer to ada.
    async fn answers_ada(&self, body: &str) -> (u16, String) {
        self.answers(Some("adas-session"), body).await
    }

    async fn answers(&self, session: Option<&str>, body: &str) -> (u16, String) {
        let http = Roots::new().http_client("127.0.0.1").unwrap().build().unwrap();
        let mut request = http.post(&self.url).body(body.to_owned());
        if let Some(session) = session {
            request = request.bearer_auth(session);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

#[tokio::test]
async fn the_users_own_channel_is_signed_for_form_and_json_requests() {
    let backend = Backend::start().await;
    let right = Signer::new("key", "secret").authorize_channel(
        &"1.2".parse().unwrap(),
        &"private-ada".parse().unwrap(),
        None,
    );
    let right = (200, format!(r#"{{"auth":"{}"}}"#, right.unwrap().auth));
    assert_eq!(backend.answers_ada("socket_id=1.2&channel_name=private-ada").await, right);
    assert_eq!(backend.answers_ada(r#"{"socket_id":"1.2","channel_name":"private-ada"}"#).await, right);
    assert_eq!(backend.answers_ada(r#"{"socketId":"1.2","channelName":"private-ada"}"#).await, right);
}

#[tokio::test]
async fn other_channels_and_unknown_sessions_are_rejected() {
    let backend = Backend::start().await;
    for channel in ["private-bob", "private-ada2", "private-", "presence-ada", "ada", "private-encrypted-ada"]
    {
        let body = format!("socket_id=1.2&channel_name={channel}");
        assert_eq!(backend.answers_ada(&body).await, (403, String::new()), "{channel}");
    }
    let body = "socket_id=1.2&channel_name=private-ada";
    assert_eq!(backend.answers(Some("bobs-session"), body).await.0, 403);
    assert_eq!(backend.answers(Some("no-session"), body).await.0, 401);
    assert_eq!(backend.answers(None, body).await.0, 401);
}

#[tokio::test]
async fn malformed_requests_are_rejected() {
    let backend = Backend::start().await;
    let malformed = [
        "",
        "{",
        "[]",
        "socket_id=1.2",
        "channel_name=private-ada",
        "socket_id=1.2:private-bob&channel_name=private-ada",
        "socket_id=one&channel_name=private-ada",
        "socket_id=1.2&channel_name=private-a%0Ada",
        "socket_id=1.2&socket_id=1.3&channel_name=private-ada",
        r#"{"socket_id":1.2,"channel_name":"private-ada"}"#,
    ];
    for body in malformed {
        assert_eq!(backend.answers_ada(body).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn a_channels_server_lets_a_user_subscribe_only_to_the_users_own_channel() {
    let backend = Backend::start().await;
    let broker = Broker::new("app", Signer::new("key", "secret"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(axum::serve(listener, broker.router()).into_future());

    let authorizer = HttpAuthorizer::builder(&backend.url).header("Authorization", "Bearer adas-session");
    let client = Client::builder("key").host("127.0.0.1").port(port).tls(false);
    let client = client.authorizer(Arc::new(authorizer.build().unwrap())).connect().unwrap();
    let mut own = client.subscribe("private-ada").await.unwrap();
    assert!(matches!(next(&mut own).await, ChannelEvent::Subscribed));
    let mut others = client.subscribe("private-bob").await.unwrap();
    assert!(matches!(next(&mut others).await, ChannelEvent::Refused(_)));

    drop(client);
    broker.shutdown().await;
    serving.abort();
}

async fn next(subscription: &mut Subscription) -> ChannelEvent {
    tokio::time::timeout(Duration::from_secs(10), subscription.next()).await.unwrap().unwrap()
}
