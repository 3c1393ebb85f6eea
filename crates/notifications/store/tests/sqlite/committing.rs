use std::time::Duration;

use futures_util::future::join_all;
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_store::{InboxCommand, Store, StoreErrorKind};
use sqlx::Connection;

use crate::bench_store::{Bench, id, push, user};

/// Queues all calls before the writer runs. With Tokio's budget, it would run in between.
async fn together<F: Future>(calls: impl Iterator<Item = F>) -> Vec<F::Output> {
    tokio::task::unconstrained(join_all(calls)).await
}

#[tokio::test]
async fn concurrent_pushes_share_commits() {
    let bench = Bench::new().await;
    let pushes = (0..600).map(|n| bench.store.push(push(&format!("n{n}"), &["ada", "bob"])));
    assert!(together(pushes).await.iter().all(Result::is_ok));
    assert_eq!(bench.store.commits(), 3, "256 + 256 + 88");
    assert_eq!(bench.store.head(&user("ada")).await.unwrap().pending, 600);
}

#[tokio::test]
async fn the_rows_of_a_transaction_are_bounded() {
    let bench = Bench::new().await;
    let names: Vec<_> = (0..8_000).map(|n| format!("user-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let pushes = (0..5).map(|n| bench.store.push(push(&format!("n{n}"), &names)));
    assert!(together(pushes).await.iter().all(Result::is_ok));
    assert_eq!(bench.store.commits(), 3, "two pushes, two, and one");
}

/// The copy is what a crash would leave on disk: the store was neither closed nor checkpointed.
#[tokio::test]
async fn acknowledged_changes_survive_a_crash() {
    let bench = Bench::new().await;
    bench.push("a", &["ada"]).await;
    bench.write("ada", InboxCommand::Opened(vec![id("a")])).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    for name in ["inbox.db", "inbox.db-wal"] {
        std::fs::copy(bench.folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let path = copy.path().join("inbox.db");
    let store = SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).await.unwrap();
    let page = store.page(&user("ada"), 50, None).await.unwrap();
    assert_eq!(page, bench.store.page(&user("ada"), 50, None).await.unwrap());
    assert!(page.notifications[0].opened);
}

#[tokio::test]
async fn a_busy_database_rejects_writes_until_it_is_free() {
    let bench = Bench::with(SqliteOptions::default().with_busy_timeout(Duration::from_millis(20))).await;
    let mut other = bench.connect().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let pushes = ["a", "b"].map(|name| bench.store.push(push(name, &["ada"])));
    for answer in join_all(pushes).await {
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.is_retryable());
    }
    assert_eq!(bench.store.ready().await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert!(bench.ids("ada").await.is_empty(), "reads still work, and nothing was stored");
    lock.rollback().await.unwrap();
    bench.store.ready().await.unwrap();
    bench.push("b", &["ada"]).await;
    assert_eq!(bench.ids("ada").await, ["b"]);
}

#[tokio::test]
async fn a_failed_transaction_is_rolled_back_and_the_writer_continues() {
    for raise in ["ABORT", "ROLLBACK"] {
        let bench = Bench::new().await;
        bench
            .sql(&format!(
                "CREATE TRIGGER broken BEFORE INSERT ON changes WHEN NEW.detail IS NOT NULL
                 BEGIN SELECT RAISE({raise}, 'broken'); END"
            ))
            .await;
        let (pushed, written, after) = tokio::join!(
            bench.store.push(push("a", &["ada"])),
            bench.write("ada", InboxCommand::Opened(vec![id("a")])),
            bench.store.push(push("b", &["ada"])),
        );
        for error in [pushed.unwrap_err(), written.unwrap_err(), after.unwrap_err()] {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{raise}: {error}");
        }
        for table in ["inboxes", "notifications", "deliveries", "changes", "publications"] {
            assert_eq!(bench.count(table).await, 0, "{raise}: {table}");
        }
        bench.push("c", &["ada"]).await;
        bench.sql("DROP TRIGGER broken").await;
        assert_eq!(bench.write("ada", InboxCommand::Opened(vec![id("c")])).await.unwrap().seq, Some(2));
    }
}

#[tokio::test]
async fn close_finishes_accepted_calls_and_unlocks_the_file() {
    let bench = Bench::new().await;
    let pushes = together((0..300).map(|n| bench.store.push(push(&format!("n{n}"), &["ada"]))));
    let (answers, (), ()) = tokio::join!(biased; pushes, bench.store.close(), bench.store.close());
    assert!(answers.iter().all(Result::is_ok));
    let error = bench.store.push(push("late", &["ada"])).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(bench.store.head(&user("ada")).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert!(bench.store.ready().await.is_err());
    bench.store.close().await;
    assert!(!bench.folder.path().join("inbox.db-wal").exists(), "checkpointed");
    let again = SqliteStore::open(bench.file().to_str().unwrap(), SqliteOptions::default()).await.unwrap();
    assert_eq!(again.head(&user("ada")).await.unwrap().pending, 300);
}

#[tokio::test]
async fn a_setting_keeps_its_first_value() {
    let bench = Bench::new().await;
    let set = |value: &str| bench.store.get_or_insert_setting("app_secret", value.to_owned());
    assert_eq!(set("one").await.unwrap(), "one");
    assert_eq!(set("two").await.unwrap(), "one");
    assert_eq!(bench.store.get_or_insert_setting("other", "three".to_owned()).await.unwrap(), "three");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_not_ready() {
    let bench = Bench::new().await;
    bench.store.ready().await.unwrap();
    bench.sql("CREATE TRIGGER full BEFORE INSERT ON settings BEGIN SELECT RAISE(ABORT, 'the disk is full'); END").await;
    let error = bench.store.ready().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    bench.sql("DROP TRIGGER full").await;
    bench.store.ready().await.unwrap();
}
