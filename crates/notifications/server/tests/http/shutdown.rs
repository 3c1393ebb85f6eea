//! How a server stops: within one deadline, and at once where nothing has to be waited for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::UserId;
use internal_notifications_server::realtime::{LiveData, Realtime, RealtimeError, RealtimeParts};
use internal_notifications_server::relay::{IntentSource, PendingIntent, SettledIntent, SourceError};
use internal_notifications_server::store::memory::{MemoryData, MemoryOptions, MemoryStore};
use internal_notifications_server::{Config, Limits, Node, SystemClock};
use pusher_broker::Broker;
use pusher_protocol::ChannelName;
use pusher_signer::Signer;
use serde_json::json;
use tokio::time::Instant;

use crate::app::{API_KEY, TestApp};
use crate::raw::{Raw, status};
use crate::supervision::{Open, push};
use crate::websocket::Socket;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);

/// Starts a server whose limits end nothing by themselves.
async fn patient() -> TestApp {
    TestApp::start_with(|config| {
        config.limits.head_timeout = LONG;
        config.limits.body_timeout = LONG;
        config.limits.shutdown_timeout = LONG;
    })
    .await
}

/// A push that has begun to arrive.
struct SlowPush {
    raw: Raw,
    rest: String,
}

impl SlowPush {
    async fn begin(app: &TestApp) -> Self {
        let body = json!({"user_ids": ["ada"], "notification": {"id": "slow", "content": "c"}}).to_string();
        let (begun, rest) = body.split_at(20);
        let mut raw = Raw::connect(app).await;
        let head = format!(
            "POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {API_KEY}\r\ncontent-length: {}\r\n\r\n{begun}",
            body.len()
        );
        raw.write(head.as_bytes()).await;
        while crate::metrics::Scrape::of(app).await.get("buffered_body_bytes") < 20.0 {
            tokio::task::yield_now().await;
        }
        Self { raw, rest: rest.to_owned() }
    }

    async fn finish(mut self) -> String {
        self.raw.write(self.rest.as_bytes()).await;
        self.raw.read_to_end().await
    }
}

#[tokio::test]
async fn clients_are_disconnected_while_a_slow_request_is_still_running() {
    let app = patient().await;
    let mut socket = Socket::connect(&app).await;
    socket.subscribe(&app, "ada").await;
    app.fill("ada", 1).await;
    let slow = SlowPush::begin(&app).await;
    let TestApp { server, folder, .. } = app;
    let shutdown = tokio::spawn(server.shutdown());
    assert_eq!(socket.next().await.1["inbox"]["seq"], 1, "what is stored is published first");
    assert_eq!(socket.close_code().await, 4200);
    let answer = slow.finish().await;
    assert_eq!(status(&answer), 201, "{answer}");
    shutdown.await.unwrap();
    let app = TestApp::start_in(folder, |_| {}).await;
    assert_eq!(app.get("ada", "/v1/inbox").await.ids(), ["slow", "n1"]);
}

#[tokio::test]
async fn connections_without_a_whole_head_are_closed_while_a_slow_request_is_still_running() {
    let app = patient().await;
    let mut waiting = Vec::new();
    for begun in ["", "GET / HT", "POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\nx: "] {
        let mut raw = Raw::connect(&app).await;
        raw.write(begun.as_bytes()).await;
        waiting.push(raw);
        // One that has had a request before.
        let mut raw = Raw::connect(&app).await;
        raw.write(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        let mut answer = [0; 15];
        tokio::io::AsyncReadExt::read_exact(&mut raw.0, &mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        raw.write(begun.as_bytes()).await;
        waiting.push(raw);
        // One whose next head began with the request before.
        let mut raw = Raw::connect(&app).await;
        raw.write(format!("GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n{begun}").as_bytes()).await;
        tokio::io::AsyncReadExt::read_exact(&mut raw.0, &mut answer).await.unwrap();
        waiting.push(raw);
    }
    let slow = SlowPush::begin(&app).await;
    let TestApp { server, folder: _folder, .. } = app;
    let shutdown = tokio::spawn(server.shutdown());
    for mut raw in waiting {
        raw.read_to_end().await;
    }
    assert_eq!(status(&slow.finish().await), 201);
    shutdown.await.unwrap();
}

/// An engine and a source of intents that never finish what they have begun.
#[derive(Clone)]
struct Hanging;

#[async_trait]
impl Realtime for Hanging {
    async fn publish(&self, _: &ChannelName, _: &[LiveData]) -> Result<(), RealtimeError> {
        std::future::pending().await
    }

    fn concurrency(&self) -> usize {
        1
    }

    async fn close_connections(&self, _: &UserId, _: Option<&ChannelName>) -> Result<(), RealtimeError> {
        Ok(())
    }
}

#[async_trait]
impl IntentSource for Hanging {
    fn name(&self) -> &str {
        "hanging"
    }

    async fn take(&mut self, _: usize, _: &[i64]) -> Result<Vec<PendingIntent>, SourceError> {
        Ok(Vec::new())
    }

    async fn settle(&mut self, _: Vec<SettledIntent>) -> Result<(), SourceError> {
        Ok(())
    }

    async fn changed(&mut self) {
        std::future::pending().await
    }

    async fn close(self: Box<Self>) {
        std::future::pending().await
    }
}

/// Shuts down a node whose parts all hang, and returns how long that took.
async fn time_to_stop(realtime: RealtimeParts) -> Duration {
    let store = MemoryStore::open(MemoryData::new(Arc::new(SystemClock)), MemoryOptions::default());
    let node = Node::builder(Arc::new(store)).authenticator(Open).realtime(realtime);
    let node = node.config(Config::new()).intent_source(Hanging).start().await.unwrap();
    assert_eq!(push(&node).await, 201);
    // The dispatcher begins to publish.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let started = Instant::now();
    node.shutdown().await;
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_has_one_deadline_for_all_parts() {
    let limit = Limits::default().shutdown_timeout;
    let signer = Signer::new("key", "secret");
    let engine = time_to_stop(RealtimeParts::new(Hanging, signer.clone())).await;
    assert!(engine <= limit, "{engine:?}");
    let broker = Broker::new("1", signer.clone());
    let embedded = time_to_stop(RealtimeParts::new(Hanging, signer).with_broker(broker)).await;
    assert!(embedded <= limit, "{embedded:?}");
}
