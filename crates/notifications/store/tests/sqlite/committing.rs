use std::time::Duration;

use futures_util::future::join_all;
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_store::{InboxCommand, Store, StoreErrorKind};
use sqlx::Connection;

use crate::fixture::{Fixture, id, push, user};

/// Queues all calls before the writer runs. With Tokio's budget, it would run in between.
async fn together<F: Future>(calls: impl Iterator<Item = F>) -> Vec<F::Output> {
    tokio::task::unconstrained(join_all(calls)).await
}

#[tokio::test]
async fn concurrent_pushes_share_commits() {
    let fixture = Fixture::new().await;
    let pushes = (0..600).map(|n| fixture.store.push(push(&format!("n{n}"), &["ada", "bob"])));
    assert!(together(pushes).await.iter().all(Result::is_ok));
    assert_eq!(fixture.store.commits(), 3, "256 + 256 + 88");
    assert_eq!(fixture.store.head(&user("ada")).await.unwrap().pending, 600);
}

#[tokio::test]
async fn the_rows_of_a_transaction_are_bounded() {
    let fixture = Fixture::new().await;
    let names: Vec<_> = (0..101).map(|n| format!("user-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let small = (0..250).map(|n| fixture.store.push(push(&format!("small-{n}"), &names[..100])));
    assert!(together(small).await.iter().all(Result::is_ok));
    assert_eq!(fixture.store.commits(), 2, "200 pushes, and 50");
    let large = (0..5).map(|n| fixture.store.push(push(&format!("large-{n}"), &names)));
    assert!(together(large).await.iter().all(Result::is_ok));
    assert_eq!(fixture.store.commits(), 2 + 1, "large pushes share with each other");
}

/// The copy is what a crash would leave on disk: the store was neither closed nor checkpointed.
#[tokio::test]
async fn acknowledged_changes_survive_a_crash() {
    let fixture = Fixture::new().await;
    fixture.push("a", &["ada"]).await;
    fixture.write("ada", InboxCommand::Opened(vec![id("a")])).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    for name in ["inbox.db", "inbox.db-wal"] {
        std::fs::copy(fixture.folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let path = copy.path().join("inbox.db");
    let store = SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).await.unwrap();
    let page = store.page(&user("ada"), 50, None).await.unwrap();
    assert_eq!(page, fixture.store.page(&user("ada"), 50, None).await.unwrap());
    assert!(page.notifications[0].opened);
}

#[tokio::test]
async fn a_busy_database_rejects_writes_until_it_is_free() {
    let fixture = Fixture::with(SqliteOptions::default().with_busy_timeout(Duration::from_millis(20))).await;
    let mut other = fixture.connect().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let pushes = ["a", "b"].map(|name| fixture.store.push(push(name, &["ada"])));
    for answer in join_all(pushes).await {
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.is_retryable());
    }
    assert_eq!(fixture.store.ready().await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert!(fixture.ids("ada").await.is_empty(), "reads still work, and nothing was stored");
    lock.rollback().await.unwrap();
    fixture.store.ready().await.unwrap();
    fixture.push("b", &["ada"]).await;
    assert_eq!(fixture.ids("ada").await, ["b"]);
}

#[tokio::test]
async fn a_command_that_fails_is_rolled_back_and_the_others_are_stored() {
    for raise in ["ABORT", "ROLLBACK"] {
        let fixture = Fixture::new().await;
        fixture
            .sql(&format!(
                "CREATE TRIGGER broken BEFORE INSERT ON changes WHEN NEW.detail IS NOT NULL
                 BEGIN SELECT RAISE({raise}, 'broken'); END"
            ))
            .await;
        let (pushed, written, after) = tokio::join!(
            fixture.store.push(push("a", &["ada"])),
            fixture.write("ada", InboxCommand::Opened(vec![id("a")])),
            fixture.store.push(push("b", &["ada"])),
        );
        let error = written.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_outage()),
            (StoreErrorKind::Unavailable, false),
            "{raise}: {error}"
        );
        assert_eq!((pushed.unwrap().accepted, after.unwrap().accepted), (1, 1), "{raise}");
        assert_eq!(fixture.ids("ada").await, ["b", "a"], "{raise}");
        assert_eq!(fixture.store.head(&user("ada")).await.unwrap().pending, 2, "{raise}");
        fixture.push("c", &["ada"]).await;
        fixture.sql("DROP TRIGGER broken").await;
        assert_eq!(fixture.write("ada", InboxCommand::Opened(vec![id("c")])).await.unwrap().seq, Some(4));
    }
}

#[tokio::test]
async fn close_finishes_accepted_calls_and_unlocks_the_file() {
    let fixture = Fixture::new().await;
    let pushes = together((0..300).map(|n| fixture.store.push(push(&format!("n{n}"), &["ada"]))));
    let (answers, (), ()) = tokio::join!(biased; pushes, fixture.store.close(), fixture.store.close());
    assert!(answers.iter().all(Result::is_ok));
    let error = fixture.store.push(push("late", &["ada"])).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(fixture.store.head(&user("ada")).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert!(fixture.store.ready().await.is_err());
    fixture.store.close().await;
    assert!(!fixture.folder.path().join("inbox.db-wal").exists(), "checkpointed");
    let again = SqliteStore::open(fixture.file().to_str().unwrap(), SqliteOptions::default()).await.unwrap();
    assert_eq!(again.head(&user("ada")).await.unwrap().pending, 300);
}

#[tokio::test]
async fn a_setting_keeps_its_first_value() {
    let fixture = Fixture::new().await;
    let set = |value: &str| fixture.store.get_or_insert_setting("app_secret", value.to_owned());
    assert_eq!(set("one").await.unwrap(), "one");
    assert_eq!(set("two").await.unwrap(), "one");
    assert_eq!(fixture.store.get_or_insert_setting("other", "three".to_owned()).await.unwrap(), "three");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_not_ready() {
    let fixture = Fixture::new().await;
    fixture.store.ready().await.unwrap();
    fixture.sql("CREATE TRIGGER full BEFORE INSERT ON settings BEGIN SELECT RAISE(ABORT, 'the disk is full'); END").await;
    let error = fixture.store.ready().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    fixture.sql("DROP TRIGGER full").await;
    fixture.store.ready().await.unwrap();
}

#[tokio::test]
async fn a_panic_of_the_writer_is_reported_and_answers_its_callers() {
    let options = SqliteOptions::default().with_tags(|| panic!("planned"));
    let fixture = Fixture::with(options).await;
    let error = fixture.store.push(push("a", &["ada"])).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(fixture.store.failed().await, "writer");
    assert_eq!(fixture.store.ready().await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    fixture.store.close().await;
}

#[tokio::test]
async fn a_closed_store_has_not_failed() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    let failed = tokio::time::timeout(Duration::from_millis(50), fixture.store.failed()).await;
    assert!(failed.is_err());
}
