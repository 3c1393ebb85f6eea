//! What happens when a task of a node panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use internal_notifications_models::UserId;
use internal_notifications_server::auth::{AuthError, Authenticator};
use internal_notifications_server::realtime::{LiveData, Realtime, RealtimeError, RealtimeParts};
use internal_notifications_server::relay::{IntentSource, PendingIntent, SettledIntent, SourceError};
use internal_notifications_server::store::Store;
use internal_notifications_server::store::memory::{MemoryData, MemoryOptions, MemoryStore};
use internal_notifications_server::store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_server::{Clock, ErrorKind, Node, NodeBuilder, Principal, Server, SystemClock};
use pusher_protocol::ChannelName;
use pusher_signer::Signer;
use serde_json::json;
use tower::ServiceExt;
use tracing::Level;

use crate::app::config;
use crate::log::Log;

/// Everybody is a backend.
pub(crate) struct Open;

#[async_trait]
impl Authenticator for Open {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        Ok(Principal::key(bearer))
    }
}

/// A clock, an engine and a source of intents that panic once they are broken.
#[derive(Clone, Default)]
struct Breakable(Arc<AtomicBool>);

impl Breakable {
    fn check(&self) {
        assert!(!self.0.load(Ordering::Relaxed), "planned");
    }

    fn break_it(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Clock for Breakable {
    fn now(&self) -> jiff::Timestamp {
        self.check();
        SystemClock.now()
    }

    fn monotonic(&self) -> Duration {
        self.check();
        SystemClock.monotonic()
    }
}

#[async_trait]
impl Realtime for Breakable {
    async fn publish(&self, _: &ChannelName, _: &[LiveData]) -> Result<(), RealtimeError> {
        self.check();
        Ok(())
    }

    fn concurrency(&self) -> usize {
        1
    }

    async fn close_connections(&self, _: &UserId, _: Option<&ChannelName>) -> Result<(), RealtimeError> {
        Ok(())
    }
}

#[async_trait]
impl IntentSource for Breakable {
    fn name(&self) -> &str {
        "shop"
    }

    async fn take(&mut self, _: usize) -> Result<Vec<PendingIntent>, SourceError> {
        self.check();
        Ok(Vec::new())
    }

    async fn settle(&mut self, _: Vec<SettledIntent>) -> Result<(), SourceError> {
        Ok(())
    }

    async fn changed(&mut self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    async fn close(self: Box<Self>) {}
}

fn node() -> NodeBuilder {
    let store = MemoryStore::open(MemoryData::new(Arc::new(SystemClock)), MemoryOptions::default());
    node_over(Arc::new(store))
}

fn node_over(store: Arc<dyn Store>) -> NodeBuilder {
    Node::builder(store).authenticator(Open)
}

async fn ask(node: &Node, method: &str, path: &str, body: String) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("authorization", "Bearer shop").body(Body::from(body)).unwrap();
    let response = node.router().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(crate) async fn push(node: &Node) -> u16 {
    let body = json!({"user_ids": ["ada"], "notification": {"content": "hi"}}).to_string();
    ask(node, "POST", "/v1/notifications", body).await.0
}

async fn ready(node: &Node) -> (u16, String) {
    ask(node, "GET", "/health/ready", String::new()).await
}

/// Starts the node, calls `cause`, and checks that the failure of this task is reported.
async fn fails(node: NodeBuilder, cause: impl AsyncFnOnce(&Node), task: &str) {
    let (log, _guard) = Log::capture(Level::ERROR);
    let node = node.start().await.unwrap();
    assert_eq!(ready(&node).await.0, 200);
    let failed = node.failed();
    cause(&node).await;
    let error = failed.await;
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::TaskEnded, format!("the task `{task}` ended unexpectedly"))
    );
    let (status, body) = ready(&node).await;
    assert!(status == 503 && body.contains("a task of the server ended"), "{status} {body}");
    assert_eq!(log.lines("ended unexpectedly").len(), 1, "it is logged once");
    assert!(log.lines("ended unexpectedly")[0].contains(task));
    node.shutdown().await;
    assert_eq!(log.lines("ended unexpectedly").len(), 1, "the end of the other tasks is expected");
}

#[tokio::test]
async fn a_panic_of_the_scheduler_makes_the_node_fail() {
    let clock = Breakable::default();
    fails(node().clock(clock.clone()), async |_| clock.break_it(), "scheduler").await;
}

#[tokio::test]
async fn a_panic_of_a_relay_makes_the_node_fail() {
    let source = Breakable::default();
    fails(node().intent_source(source.clone()), async |_| source.break_it(), "relay of shop").await;
}

#[tokio::test]
async fn a_panic_of_the_dispatcher_makes_the_node_fail() {
    let engine = Breakable::default();
    let parts = RealtimeParts::new(engine.clone(), Signer::new("key", "secret"));
    let cause = async |node: &Node| {
        engine.break_it();
        assert_eq!(push(node).await, 201);
    };
    fails(node().realtime(parts), cause, "dispatcher").await;
}

#[tokio::test]
async fn a_panic_of_the_stores_writer_makes_the_node_fail() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::default().with_tags(|| panic!("planned"));
    let store = SqliteStore::open_file(&folder.path().join("a.db"), options).await.unwrap();
    let cause = async |node: &Node| assert_eq!(push(node).await, 503);
    fails(node_over(Arc::new(store)), cause, "writer of the store").await;
}

#[tokio::test]
async fn a_shutdown_is_not_a_failure() {
    let (log, _guard) = Log::capture(Level::ERROR);
    let node = node().intent_source(Breakable::default()).start().await.unwrap();
    let failed = node.failed();
    node.shutdown().await;
    assert!(tokio::time::timeout(Duration::from_millis(50), failed).await.is_err());
    assert!(log.lines("").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn neither_a_shutdown_nor_a_drop_is_a_failure_whichever_task_ends_first() {
    for round in 0..60 {
        let node = node().intent_source(Breakable::default()).start().await.unwrap();
        let failed = node.failed();
        tokio::spawn(async move {
            if round % 2 == 0 {
                node.shutdown().await
            }
        })
        .await
        .unwrap();
        let failed = tokio::time::timeout(Duration::from_millis(5), failed).await;
        assert!(failed.is_err(), "round {round}: {failed:?}");
    }
}

#[tokio::test]
async fn the_end_of_the_listener_is_no_failure_of_a_server_that_was_shut_down_or_dropped() {
    for shuts_down in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(config(&folder)).await.unwrap();
        let failed = server.failed();
        if shuts_down {
            server.shutdown().await;
        } else {
            drop(server);
        }
        assert!(tokio::time::timeout(Duration::from_millis(50), failed).await.is_err());
    }
}
