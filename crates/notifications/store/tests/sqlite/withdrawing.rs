use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use internal_notifications_models::{ChangeKind, RemovedReason, Retraction, UserId};
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_store::{Advanced, CommitListener, InboxCommand, Push, Store, StoreErrorKind};

use crate::fixture::{Fixture, at, id, ids, push, user};

fn names(number: usize) -> Vec<String> {
    (0..number).map(|n| format!("user-{n:05}")).collect()
}

fn to_many(name: &str, number: usize) -> Push {
    let names = names(number);
    push(name, &names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn later(mut push: Push, seconds: i64) -> Push {
    push.notification.send_after = Some(at(seconds));
    push
}

fn until(mut push: Push, seconds: i64) -> Push {
    push.notification.expires_at = Some(at(seconds));
    push
}

async fn present(fixture: &Fixture, name: &str) -> i64 {
    let sql = "SELECT count(*) FROM deliveries d JOIN notifications n ON n.key = notification WHERE id = ?1 AND removed_at IS NULL";
    sqlx::query_scalar(sql).bind(name.to_owned()).fetch_one(&mut fixture.connect().await).await.unwrap()
}

#[tokio::test]
async fn a_retraction_changes_every_inbox_and_cancels_scheduled_deliveries() {
    let fixture = Fixture::new().await;
    fixture.push("n", &["ada", "bob"]).await;
    fixture.push("other", &["ada"]).await;
    fixture.write("bob", InboxCommand::Opened(ids(&["n"]))).await.unwrap();
    fixture.store.push(later(push("later", &["ada", "eve"]), 100)).await.unwrap();
    let retraction = fixture.store.retract(&id("n"), at(10)).await.unwrap();
    assert_eq!(retraction, Retraction::new(id("n")).with_removed(2));
    let log = fixture.log("ada").await;
    let removed = ChangeKind::Removed { ids: ids(&["n"]), reason: RemovedReason::Retracted };
    assert_eq!((&log[2].kind, log[2].stamp.pending, log[2].stamp.at), (&removed, 1, at(10)));
    let log = fixture.log("bob").await;
    assert_eq!((&log[2].kind, log[2].stamp.pending), (&removed, 0));
    assert_eq!(fixture.ids("ada").await, ["other"]);

    let retraction = fixture.store.retract(&id("later"), at(11)).await.unwrap();
    assert_eq!((retraction.cancelled, retraction.removed), (2, 0));
    assert!(fixture.store.advance(at(1_000), 100).await.unwrap().is_idle());
    assert_eq!((fixture.count("scheduled").await, fixture.count("withdrawals").await), (0, 0));

    let again = fixture.store.retract(&id("n"), at(12)).await.unwrap();
    assert_eq!((again.cancelled, again.removed), (0, 0));
    assert_eq!(fixture.push("n", &["ada", "new"]).await.duplicates, 2);
    let unknown = fixture.store.retract(&id("zzz"), at(12)).await.unwrap_err();
    assert_eq!(unknown.kind(), StoreErrorKind::NotFound);
}

/// Copies the database after the commit number `at`, as a crash would leave it on disk.
struct Crash {
    folder: PathBuf,
    file: PathBuf,
    commits: AtomicU64,
    at: u64,
}

impl CommitListener for Crash {
    fn committed(&self, _: &mut dyn Iterator<Item = &UserId>) {
        if self.commits.fetch_add(1, Ordering::Relaxed) + 1 != self.at {
            return;
        }
        for suffix in ["", "-wal"] {
            let from = PathBuf::from(format!("{}{suffix}", self.file.display()));
            std::fs::copy(from, self.folder.join(format!("inbox.db{suffix}"))).unwrap();
        }
    }
}

async fn after_a_crash(path: &Path) -> SqliteStore {
    SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).await.unwrap()
}

#[tokio::test]
async fn advance_finishes_a_retraction_that_a_crash_interrupted() {
    let copy = tempfile::tempdir().unwrap();
    let fixture = Fixture::new().await;
    let crash = Crash {
        folder: copy.path().to_owned(),
        file: fixture.file(),
        commits: AtomicU64::new(0),
        // The push, and two of the five steps of the withdrawal.
        at: 3,
    };
    fixture.store.set_commit_listener(Arc::new(crash));
    fixture.store.push(to_many("n", 2_500)).await.unwrap();
    let retraction = fixture.store.retract(&id("n"), at(10)).await.unwrap();
    assert_eq!(retraction.removed, 2_500);
    while !fixture.store.advance(at(10), 10_000).await.unwrap().is_idle() {}
    assert_eq!(present(&fixture, "n").await, 0);

    let store = after_a_crash(&copy.path().join("inbox.db")).await;
    let fixture = Fixture { store, folder: copy };
    assert_eq!(present(&fixture, "n").await, 1_500);
    let again = fixture.store.push(to_many("n", 2_501)).await.unwrap();
    assert_eq!(again.duplicates, 2_501, "a retracted notification reaches no further recipients");
    for _ in 0..3 {
        assert_eq!(fixture.store.advance(at(10), 10_000).await.unwrap().withdrawn, 500);
    }
    assert_eq!(fixture.store.advance(at(10), 10_000).await.unwrap().withdrawn, 0);
    assert_eq!((present(&fixture, "n").await, fixture.count("withdrawals").await), (0, 0));
    for name in ["user-00000", "user-02499"] {
        let log = fixture.log(name).await;
        let removed = ChangeKind::Removed { ids: ids(&["n"]), reason: RemovedReason::Retracted };
        assert_eq!((log.len(), &log[1].kind), (2, &removed), "removed once from each inbox");
    }
    assert!(fixture.store.advance(at(10), 10_000).await.unwrap().is_idle());
}

#[tokio::test]
async fn scheduled_notifications_reach_ten_thousand_inboxes_in_bounded_transactions() {
    let fixture = Fixture::new().await;
    let receipt = fixture.store.push(later(to_many("n", 10_000), 100)).await.unwrap();
    assert_eq!(receipt.scheduled, 10_000);
    let before = fixture.store.commits();
    assert!(fixture.store.advance(at(99), 20_000).await.unwrap().is_idle());
    assert_eq!(fixture.store.commits(), before, "nothing is written while nothing is due");
    for _ in 0..20 {
        let advanced = fixture.store.advance(at(103), 20_000).await.unwrap();
        assert_eq!((advanced.delivered, advanced.lateness.as_secs()), (500, 3));
    }
    assert!(fixture.store.advance(at(103), 20_000).await.unwrap().is_idle());
    assert_eq!(fixture.store.commits() - before, 20);
    assert_eq!((present(&fixture, "n").await, fixture.count("scheduled").await), (10_000, 0));
    let row = fixture.store.notification(&user("user-09999"), &id("n")).await.unwrap().unwrap();
    assert_eq!(row.created_at, at(103));
    assert_eq!(fixture.log("user-00000").await[0].stamp.at, at(103));
}

#[tokio::test]
async fn advance_stops_near_its_limit_and_continues_where_it_stopped() {
    let fixture = Fixture::new().await;
    fixture.store.push(later(push("second", &["ada", "bob"]), 20)).await.unwrap();
    fixture.store.push(later(push("first", &["ada", "bob"]), 10)).await.unwrap();
    fixture.store.push(until(push("short", &["ada", "bob", "eve"]), 15)).await.unwrap();
    let mut done = Vec::new();
    loop {
        let advanced = fixture.store.advance(at(30), 2).await.unwrap();
        if advanced.is_idle() {
            break;
        }
        done.push((advanced.withdrawn, advanced.delivered));
    }
    assert_eq!(done, [(2, 2), (1, 2)]);
    assert_eq!(fixture.ids("ada").await, ["second", "first"]);
    assert_eq!(fixture.ids("bob").await, ["second", "first"]);
}

#[tokio::test]
async fn an_expired_notification_is_removed_and_its_scheduled_deliveries_are_cancelled() {
    let fixture = Fixture::new().await;
    fixture.store.push(until(push("n", &["ada"]), 10)).await.unwrap();
    fixture.store.push(until(later(push("late", &["ada"]), 20), 15)).await.unwrap();
    assert_eq!(fixture.store.advance(at(9), 10).await.unwrap(), Advanced::default());
    let advanced = fixture.store.advance(at(20), 10).await.unwrap();
    assert_eq!((advanced.withdrawn, advanced.delivered), (1, 0));
    let kind = ChangeKind::Removed { ids: ids(&["n"]), reason: RemovedReason::Expired };
    assert_eq!(fixture.log("ada").await[1].kind, kind);
    assert_eq!(fixture.log("ada").await.len(), 2);
    assert_eq!((fixture.count("withdrawals").await, fixture.count("scheduled").await), (0, 0));
}

#[tokio::test]
async fn deliveries_that_have_left_their_inbox_count_towards_the_limit_of_a_step() {
    let fixture = Fixture::new().await;
    fixture.store.push(until(to_many("n", 35), 10)).await.unwrap();
    fixture
        .sql("UPDATE deliveries SET removed_at = 0 WHERE inbox < (SELECT max(inbox) FROM deliveries)")
        .await;
    for _ in 0..3 {
        let done = fixture.store.advance(at(10), 10).await.unwrap();
        assert_eq!((done.withdrawn, done.has_more), (0, true));
        assert_eq!(fixture.count("withdrawals").await, 1);
    }
    assert_eq!(fixture.store.advance(at(10), 10).await.unwrap().withdrawn, 1);
    assert_eq!(fixture.count("withdrawals").await, 0);
    assert!(fixture.store.advance(at(10), 10).await.unwrap().is_idle());
}

#[tokio::test]
async fn a_retraction_that_many_have_removed_is_removed_from_the_others_in_steps() {
    let fixture = Fixture::new().await;
    for part in ["a", "b"] {
        let names: Vec<_> = (0..10_000).map(|n| format!("{part}{n:05}")).collect();
        fixture.push("n", &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    fixture.sql("UPDATE deliveries SET removed_at = 0 WHERE inbox % 10000 <> 9999").await;
    let before = fixture.store.commits();
    assert_eq!(fixture.store.retract(&id("n"), at(10)).await.unwrap().removed, 2);
    assert_eq!(fixture.store.commits() - before, 4, "the mark, and three steps");
    assert_eq!((present(&fixture, "n").await, fixture.count("withdrawals").await), (0, 0));
}

#[tokio::test]
async fn a_due_notification_that_fails_does_not_stop_the_others() {
    let fixture = Fixture::new().await;
    for name in ["bad", "good", "other"] {
        fixture.store.push(later(push(name, &["ada", "bob"]), 10)).await.unwrap();
    }
    let fail = "CREATE TRIGGER fail BEFORE INSERT ON deliveries WHEN NEW.notification = (SELECT key FROM notifications WHERE id = 'bad')
                BEGIN SELECT RAISE(ABORT, 'planned'); END";
    fixture.sql(fail).await;
    assert_eq!(fixture.store.advance(at(10), 100).await.unwrap().delivered, 4);
    assert!(fixture.store.advance(at(10), 100).await.unwrap().is_idle(), "it is set aside");
    assert_eq!(fixture.ids("ada").await, ["other", "good"]);
    assert_eq!(fixture.count("scheduled").await, 2);
}
