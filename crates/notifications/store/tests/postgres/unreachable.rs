//! PostgreSQL behind a line that can be cut, or no longer carries anything.

use std::time::Duration;

use internal_notifications_models::{OpId, Position};
use internal_notifications_store::{InboxCommand, Store, StoreErrorKind, Write};
use internal_notifications_testkit::Proxy;
use tokio::time::{Instant, timeout};

use crate::bench_store::{Schema, at, id, push, user};

const HOUR: Duration = Duration::from_secs(3600);
const LIMIT: Duration = Duration::from_secs(30);

/// A call of each kind, all at once, and that each says that it cannot be done now.
async fn nothing_works(store: &impl Store) {
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
