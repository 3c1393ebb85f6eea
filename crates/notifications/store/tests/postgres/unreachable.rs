//! PostgreSQL behind a proxy that cuts connections or delays all traffic.

use std::time::Duration;

use internal_notifications_models::{OpId, Position};
use internal_notifications_store::{InboxCommand, Store, StoreErrorKind, Write};
use internal_notifications_testkit::Proxy;
use tokio::time::{Instant, timeout};

use crate::fixture::{Schema, at, id, push, user};

const HOUR: Duration = Duration::from_secs(3600);
const LIMIT: Duration = Duration::from_secs(30);

/// Makes a call of each kind at once, and checks that each fails as unavailable.
async fn assert_calls_fail(store: &impl Store) {
    let (ada, n0) = (user("ada"), id("n0"));
    let write =
        Write::new(InboxCommand::Opened(vec![id("n0")]), at(1)).with_op(Some(OpId::new("op").unwrap()));
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

async fn assert_calls_succeed(store: &impl Store, name: &str, pending: u64) {
    assert_eq!(store.push(push(name, &["ada"])).await.unwrap().accepted, 1);
    assert_eq!(store.head(&user("ada")).await.unwrap().pending, pending);
    store.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_time_out_while_the_database_does_not_answer_and_later_succeed() {
    let Some(schema) = Schema::new() else { return };
    let proxy = Proxy::start(schema.address().await).await.unwrap();
    let options = schema.options().with_connections(4).with_acquire_timeout(Duration::from_millis(500));
    let options = options.with_call_timeout(Duration::from_secs(1));
    let store = schema.open_through(proxy.address(), options).await;
    assert_calls_succeed(&store, "n0", 1).await;
    for round in 1..=3 {
        proxy.slow(HOUR);
        // Makes more calls than there are connections that could hang.
        for _ in 0..3 {
            let begun = Instant::now();
            assert_calls_fail(&store).await;
            assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        }
        proxy.mend();
        assert_calls_succeed(&store, &format!("n{round}"), round + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_reconnects_by_itself() {
    let Some(schema) = Schema::new() else { return };
    let proxy = Proxy::start(schema.address().await).await.unwrap();
    let store = schema.open_through(proxy.address(), schema.options()).await;
    assert_calls_succeed(&store, "n0", 1).await;
    for round in 1..=3 {
        proxy.cut().await;
        timeout(LIMIT, assert_calls_fail(&store)).await.expect("the calls should end");
        proxy.mend();
        assert_calls_succeed(&store, &format!("n{round}"), round + 1).await;
    }
}
