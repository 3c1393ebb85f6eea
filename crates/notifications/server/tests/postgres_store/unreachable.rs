//! PostgreSQL behind a line that can be cut, or no longer carries anything.

use std::time::Duration;

use internal_notifications_models::{OpId, Position};
use internal_notifications_server::config::ApiKey;
use internal_notifications_server::store::{Store, StoreErrorKind, Write, WriteKind};
use internal_notifications_server::{Config, Server};
use internal_notifications_testkit::server::Proxy;
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::bench_store::{Schema, at, id, push, user};

const HOUR: Duration = Duration::from_secs(3600);
const LIMIT: Duration = Duration::from_secs(30);

/// A call of each kind, all at once, and that each says that it cannot be done now.
async fn nothing_works(store: &impl Store) {
    let (ada, n0) = (user("ada"), id("n0"));
    let write =
        Write { kind: WriteKind::Opened(vec![id("n0")]), op: Some(OpId::new("op").unwrap()), at: at(1) };
    let (pushed, written, retracted, page, changes, head, ready) = tokio::join!(
        store.push(push("lost", &["ada"])),
        store.write(&ada, write),
        store.retract(&n0, at(1)),
        store.page(&ada, 10, None),
        store.changes(&ada, Position::default(), 10),
        store.head(&ada),
        store.ready(),
    );
    let errors = [
        pushed.map(drop),
        written.map(drop),
        retracted.map(drop),
        page.map(drop),
        changes.map(drop),
        head.map(drop),
        ready,
    ];
    for error in errors {
        assert_eq!(error.unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
}

async fn works(store: &impl Store, name: &str, pending: u64) {
    assert_eq!(store.push(push(name, &["ada"])).await.unwrap().accepted, 1);
    assert_eq!(store.head(&user("ada")).await.unwrap().pending, pending);
    store.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_answer_is_told_in_time_and_used_again_by_itself() {
    let Some(schema) = Schema::new() else { return };
    let proxy = Proxy::start(schema.address().await).await.unwrap();
    let options = schema.options().with_connections(4).with_acquire_timeout(Duration::from_millis(500));
    let options = options.with_call_timeout(Duration::from_secs(1));
    let store = schema.open_through(proxy.address(), options).await;
    works(&store, "n0", 1).await;
    for round in 1..=3 {
        proxy.slow(HOUR);
        // More often than there are connections that could hang.
        for _ in 0..3 {
            let begun = Instant::now();
            nothing_works(&store).await;
            assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        }
        proxy.mend();
        works(&store, &format!("n{round}"), round + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_gone_is_used_again_by_itself() {
    let Some(schema) = Schema::new() else { return };
    let proxy = Proxy::start(schema.address().await).await.unwrap();
    let store = schema.open_through(proxy.address(), schema.options()).await;
    works(&store, "n0", 1).await;
    for round in 1..=3 {
        proxy.cut().await;
        timeout(LIMIT, nothing_works(&store)).await.expect("the calls end");
        proxy.mend();
        works(&store, &format!("n{round}"), round + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_answers_503_meanwhile_and_serves_again_by_itself() {
    let Some(schema) = Schema::new() else { return };
    let proxy = Proxy::start(schema.address().await).await.unwrap();
    // The broker's lock is of a database and a schema, and a server's schema has one name.
    schema.sql(&format!("CREATE DATABASE {}", schema.name)).await;
    let database = schema.through(proxy.address(), Some(&schema.name));
    let mut config = Config::from_env(|name| match name {
        "INTERNAL_NOTIFICATIONS_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "INTERNAL_NOTIFICATIONS_DATABASE_URL" => Some(database.clone()),
        _ => None,
    })
    .unwrap();
    let key = "an-api-key-of-thirty-two-bytes-or-so";
    config.auth.api_keys.push(ApiKey::new("shop", key).unwrap());
    let server = Server::start(config).await.unwrap();
    let http = pusher_client::Roots::new().http_client("127.0.0.1").unwrap().build().unwrap();
    let url = server.url();
    let token = server.token(&user("ada"), HOUR, false).unwrap();
    let push = async || {
        let body = json!({"user_ids": ["ada"], "notification": {"content": "c"}});
        let request = http.post(format!("{url}/v1/notifications")).bearer_auth(key).json(&body);
        request.send().await.unwrap().status().as_u16()
    };
    let read = async || {
        http.get(format!("{url}/v1/inbox")).bearer_auth(&token).send().await.unwrap().status().as_u16()
    };
    assert_eq!((push().await / 100, read().await), (2, 200));
    proxy.slow(HOUR);
    let begun = Instant::now();
    assert_eq!(tokio::join!(push(), read()), (503, 503));
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    proxy.mend();
    assert_eq!((push().await / 100, read().await), (2, 200));
    server.shutdown().await;
    schema.sql(&format!("DROP DATABASE {} WITH (FORCE)", schema.name)).await;
}
