use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{InternalNotification, Timestamp, UserId};
use internal_notifications_server::auth::{AuthError, Authenticator, Principal};
use internal_notifications_server::realtime::{LiveData, Realtime, RealtimeError, RealtimeParts};
use internal_notifications_server::store::postgres::PostgresStore;
use internal_notifications_server::store::{Push, Store};
use internal_notifications_server::{Clock, Config, Limits, Node, SystemClock, serve};
use pusher_protocol::ChannelName;
use pusher_signer::Signer;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::schema::Schema;

const LIMIT: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A wrong clock: that of the machine, this many days ahead.
struct Ahead(i32);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        let (now, days) = (SystemClock.now(), DAY * self.0.unsigned_abs());
        if self.0 < 0 { now - days } else { now + days }
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic()
    }
}

struct NamesAsTokens;

#[async_trait]
impl Authenticator for NamesAsTokens {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        Ok(Principal::key(bearer))
    }
}

struct Silent;

#[async_trait]
impl Realtime for Silent {
    async fn publish(&self, _: &ChannelName, _: &[LiveData]) -> Result<(), RealtimeError> {
        Ok(())
    }

    fn concurrency(&self) -> usize {
        8
    }

    async fn close_connections(&self, _: &UserId, _: Option<&ChannelName>) -> Result<(), RealtimeError> {
        Ok(())
    }
}

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

async fn node(schema: &Schema, clock: Ahead) -> (Arc<PostgresStore>, Node) {
    let store = Arc::new(schema.open(schema.options()).await);
    let node = Node::builder(store.clone())
        .config(Config::new().with_sweep_interval(Duration::from_secs(1)))
        .authenticator(NamesAsTokens)
        .realtime(RealtimeParts::new(Silent, Signer::new("key", "secret")))
        .clock(clock)
        .start()
        .await
        .unwrap();
    (store, node)
}

/// Pushes over HTTP to `ada`, and returns the receipt.
async fn push(node: &Node, notification: Value) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/notifications", listener.local_addr().unwrap());
    let router = node.router();
    tokio::spawn(async move { serve(listener, router, &Limits::default(), std::future::pending()).await });
    let http = pusher_client::Roots::new().http_client("127.0.0.1").unwrap().build().unwrap();
    let body = json!({"user_ids": ["ada"], "notification": notification}).to_string();
    let answer = http.post(url).bearer_auth("shop").body(body).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let reached = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, reached).await.expect("the state should be reached");
}

/// Makes ada's count wrong, and waits until a sweep has repaired it.
async fn sweep(schema: &Schema, store: &PostgresStore) {
    let pending = || async { store.head(&user("ada")).await.unwrap().pending };
    let right = pending().await;
    schema
        .sql(&format!("UPDATE {}.inboxes SET pending = pending + 7 WHERE user_id = 'ada'", schema.name))
        .await;
    until(async || pending().await == right).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_clock_is_wrong_follows_the_database() {
    let Some(schema) = Schema::new() else { return };
    for (number, days) in [400, -400].into_iter().enumerate() {
        let (store, node) = node(&schema, Ahead(days)).await;
        let id = |name: &str| format!("{name}-{number}");
        let has = |name: &str| {
            let (store, id) = (store.clone(), id(name).parse().unwrap());
            async move { store.notification(&user("ada"), &id).await.unwrap() }
        };
        push(&node, json!({"id": id("kept"), "content": "c"})).await;
        let later = SystemClock.now() + 30 * DAY;
        let expiring = json!({"id": id("expiring"), "content": "c", "expires_at": later.to_string()});
        assert_eq!(push(&node, expiring).await["accepted"], 1);
        let tomorrow = json!({"id": id("later"), "content": "c", "send_after": later.to_string()});
        assert_eq!(push(&node, tomorrow).await["scheduled"], 1);
        let due = SystemClock.now() + Duration::from_secs(2);
        let soon = json!({"id": id("soon"), "content": "c", "send_after": due.to_string()});
        assert_eq!(push(&node, soon).await["scheduled"], 1);

        until(|| async { has("soon").await.is_some() }).await;
        sweep(&schema, &store).await;
        let soon = has("soon").await.unwrap();
        // The database runs on this machine.
        assert!(soon.created_at >= due && soon.created_at <= SystemClock.now(), "{}", soon.created_at);
        for name in ["kept", "expiring"] {
            assert!(has(name).await.is_some(), "{name}");
        }
        assert!(has("later").await.is_none());
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_with_clocks_apart_prune_and_deliver_as_one() {
    let Some(schema) = Schema::new() else { return };
    let (store, right) = node(&schema, Ahead(0)).await;
    let (_, wrong) = node(&schema, Ahead(400)).await;
    let now = SystemClock.now();
    let old = |id: &str, days: u32, due: Option<Timestamp>| {
        let mut notification = InternalNotification::new("c");
        notification.send_after = due;
        Push::new(id.parse().unwrap(), "key:shop", notification, vec![user("ada")], now - DAY * days)
    };
    store.push(old("old", 366, None)).await.unwrap();
    store.push(old("recent", 364, None)).await.unwrap();
    store.push(old("later", 1, Some(now + DAY))).await.unwrap();
    let has = |id: &str| {
        let (store, id) = (store.clone(), id.parse().unwrap());
        async move { store.notification(&user("ada"), &id).await.unwrap().is_some() }
    };
    until(|| async { !has("old").await }).await;
    // The other server takes its turn to sweep once this one has stopped.
    right.shutdown().await;
    let store = Arc::new(schema.open(schema.options()).await);
    sweep(&schema, &store).await;
    let has = |id: &str| {
        let (store, id) = (store.clone(), id.parse().unwrap());
        async move { store.notification(&user("ada"), &id).await.unwrap().is_some() }
    };
    assert!(has("recent").await && !has("later").await);
    wrong.shutdown().await;
}
