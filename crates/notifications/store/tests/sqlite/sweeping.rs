use std::time::Duration;

use internal_notifications_models::{ChangeKind, Position, RemovedReason, ResetReason};
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_store::{
    Drift, InboxCommand, PassedOver, PublishLimits, Retention, Store, Sweep, Swept,
};

use crate::fixture::{Fixture, at, id, push, user};

const DAY: i64 = 24 * 60 * 60;

fn days(days: u64) -> Option<Duration> {
    Some(Duration::from_secs(days * 24 * 60 * 60))
}

/// Returns an unlimited retention with this change.
fn unlimited_except(change: impl FnOnce(&mut Retention)) -> Retention {
    let mut keep = Retention::default();
    (keep.age, keep.count, keep.log_age, keep.log_count) = (None, None, None, None);
    change(&mut keep);
    keep
}

fn unlimited() -> Retention {
    unlimited_except(|_| {})
}

async fn sweep(fixture: &Fixture, keep: &Retention, now: i64) -> Swept {
    let sweep = Sweep::new(keep.clone(), at(now)).with_limit(100);
    fixture.store.sweep(sweep).await.unwrap()
}

/// Marks everything published.
async fn publish_all(fixture: &Fixture) {
    fixture.sql("DELETE FROM publications").await;
}

async fn push_at(fixture: &Fixture, name: &str, users: &[&str], seconds: i64) {
    let mut push = push(name, users);
    push.at = at(seconds);
    fixture.store.push(push).await.unwrap();
}

#[tokio::test]
async fn a_wrong_pending_count_is_found_and_repaired_by_a_change() {
    let fixture = Fixture::new().await;
    fixture.push("a", &["ada", "bob"]).await;
    fixture.push("b", &["ada"]).await;
    fixture.sql("UPDATE inboxes SET pending = 7 WHERE user_id = 'ada'").await;
    let swept = sweep(&fixture, &unlimited(), 60).await;
    assert_eq!(swept.drifts, [Drift::new(user("ada"), 7, 2)]);
    assert_eq!((swept.inboxes, swept.next), (2, None));
    let recount = &fixture.log("ada").await[2];
    assert_eq!(recount.kind, ChangeKind::Removed { ids: vec![], reason: RemovedReason::Recounted });
    assert_eq!((recount.stamp.pending, recount.stamp.at), (2, at(60)));
    assert_eq!(fixture.store.head(&user("ada")).await.unwrap().pending, 2);
    assert_eq!(sweep(&fixture, &unlimited(), 61).await.drifts, []);
    assert_eq!(fixture.log("bob").await.len(), 1);
}

#[tokio::test]
async fn old_and_excess_notifications_are_pruned_by_changes_of_five_hundred() {
    let fixture = Fixture::new().await;
    for n in 0..1_203 {
        push_at(&fixture, &format!("n{n:04}"), &["ada"], n).await;
    }
    fixture.write("ada", InboxCommand::Opened(vec![id("n0000"), id("n1202")])).await.unwrap();
    let keep = unlimited_except(|keep| keep.age = Some(Duration::from_secs(100)));
    assert_eq!(sweep(&fixture, &keep, 99).await.pruned, 0);
    assert_eq!(sweep(&fixture, &keep, 1_101).await.pruned, 1_002);
    let (changes, _) = fixture.changes("ada", position_at(&fixture, 1_204).await, 10).await;
    let removed: Vec<_> = changes
        .iter()
        .map(|change| match &change.kind {
            ChangeKind::Removed { ids, reason: RemovedReason::Pruned } => {
                (ids.len(), ids[0].to_string(), change.stamp.pending)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [(500, "n0000", 702), (500, "n0500", 202), (2, "n1000", 200)];
    assert_eq!(removed, expected.map(|(ids, first, pending)| (ids, first.to_owned(), pending)));
    let keep = unlimited_except(|keep| keep.count = Some(2));
    assert_eq!(sweep(&fixture, &keep, 1_101).await.pruned, 199);
    assert_eq!(fixture.ids("ada").await, ["n1202", "n1201"]);
    assert_eq!(fixture.store.head(&user("ada")).await.unwrap().pending, 1);
    assert_eq!(sweep(&fixture, &keep, 1_101).await.pruned, 0);
    let keep = unlimited_except(|keep| keep.count = Some(0));
    assert_eq!(sweep(&fixture, &keep, 1_101).await.pruned, 2);
    assert_eq!(sweep(&fixture, &keep, 1_101).await.drifts, []);
}

async fn position_at(fixture: &Fixture, seq: i64) -> Position {
    let sql = "SELECT tag FROM changes WHERE seq = ?1";
    let tag: i64 = sqlx::query_scalar(sql).bind(seq).fetch_one(&mut fixture.connect().await).await.unwrap();
    let tag = internal_notifications_models::Tag::from_bits(tag.cast_unsigned());
    Position { seq: seq.cast_unsigned(), tag: Some(tag) }
}

#[tokio::test]
async fn a_large_cleanup_is_split_into_several_transactions() {
    let fixture = Fixture::new().await;
    let pushes = (0..6_000).map(|n| fixture.store.push(push(&format!("n{n}"), &["ada"])));
    futures_util::future::join_all(pushes).await;
    publish_all(&fixture).await;
    let before = fixture.store.commits();
    let swept =
        sweep(&fixture, &unlimited_except(|keep| (keep.count, keep.log_count) = (Some(10), Some(20))), 1)
            .await;
    assert_eq!((swept.pruned, swept.trimmed), (5_990, 5_992), "12 changes record the removals");
    assert_eq!(fixture.store.commits() - before, 12 + 1, "one for each thousand rows, one for the search");
    assert_eq!((fixture.count("changes").await, fixture.ids("ada").await.len()), (20, 10));
}

#[tokio::test]
async fn a_log_is_trimmed_by_age_and_count_but_not_beyond_its_published_seq() {
    let fixture = Fixture::new().await;
    for day in 0..10 {
        push_at(&fixture, &format!("n{day}"), &["ada"], day * DAY).await;
    }
    let floor_of = async |fixture: &Fixture| -> i64 {
        sqlx::query_scalar("SELECT floor FROM inboxes").fetch_one(&mut fixture.connect().await).await.unwrap()
    };
    let by_age = unlimited_except(|keep| keep.log_age = days(5));
    let by_count = unlimited_except(|keep| keep.log_count = Some(2));
    for keep in [&by_age, &by_count] {
        assert_eq!(sweep(&fixture, keep, 9 * DAY).await.trimmed, 0, "unpublished changes are not trimmed");
    }
    fixture.store.mark_published(&[(user("ada"), 3)]).await.unwrap();
    assert_eq!(sweep(&fixture, &by_age, 9 * DAY).await.trimmed, 3);
    assert_eq!(floor_of(&fixture).await, 3);
    publish_all(&fixture).await;
    assert_eq!(sweep(&fixture, &by_age, 9 * DAY).await.trimmed, 2);
    assert_eq!(fixture.reset("ada", Position::default()).await, Some(ResetReason::Trimmed));
    assert_eq!(sweep(&fixture, &by_count, 9 * DAY).await.trimmed, 3);
    assert_eq!((floor_of(&fixture).await, fixture.count("changes").await), (8, 2));
    assert_eq!(fixture.ids("ada").await.len(), 10, "trimming the log removes no notifications");
    assert_eq!(sweep(&fixture, &by_count, 9 * DAY).await.trimmed, 0);
    let everything = unlimited_except(|keep| keep.log_count = Some(0));
    assert_eq!(sweep(&fixture, &everything, 9 * DAY).await.trimmed, 2);
    let head = fixture.store.head(&user("ada")).await.unwrap().position;
    assert_eq!(fixture.changes("ada", head, 10).await, (vec![], false));
}

#[tokio::test]
async fn ids_are_remembered_for_ninety_days_and_until_the_log_forgets_them() {
    let fixture = Fixture::new().await;
    push_at(&fixture, "n", &["ada"], 0).await;
    push_at(&fixture, "stays", &["ada"], 0).await;
    fixture.write("ada", InboxCommand::Remove(id("n"))).await.unwrap();
    publish_all(&fixture).await;
    let (keep, expired) = (unlimited_except(|keep| keep.log_age = days(30)), 90 * DAY + 60);
    sweep(&fixture, &unlimited(), expired).await;
    assert_eq!(fixture.push("n", &["ada"]).await.duplicates, 1, "the log still has its records");
    sweep(&fixture, &keep, 89 * DAY).await;
    assert_eq!((fixture.count("changes").await, fixture.push("n", &["ada"]).await.duplicates), (0, 1));
    sweep(&fixture, &keep, expired).await;
    assert_eq!((fixture.count("deliveries").await, fixture.count("notifications").await), (1, 1));
    let mut other = push("n", &["ada"]);
    other.sender = "key:other".to_owned();
    assert_eq!(fixture.store.push(other).await.unwrap().accepted, 1, "the id can be used again");
    assert_eq!(fixture.push("stays", &["ada"]).await.duplicates, 1);
}

#[tokio::test]
async fn a_cancelled_notification_is_forgotten_and_a_scheduled_one_is_not() {
    let fixture = Fixture::new().await;
    for name in ["cancelled", "to-come"] {
        let mut push = push(name, &["ada"]);
        push.notification.send_after = Some(at(200 * DAY));
        fixture.store.push(push).await.unwrap();
    }
    let mut expiring = push("expiring", &["ada"]);
    expiring.notification.expires_at = Some(at(300 * DAY));
    fixture.store.push(expiring).await.unwrap();
    fixture.write("ada", InboxCommand::Remove(id("expiring"))).await.unwrap();
    publish_all(&fixture).await;
    fixture.store.retract(&id("cancelled"), at(1)).await.unwrap();
    sweep(&fixture, &Retention::default(), 89 * DAY).await;
    assert_eq!(fixture.count("notifications").await, 3);
    let _ = sweep(&fixture, &Retention::default(), 91 * DAY).await;
    assert_eq!(fixture.count("notifications").await, 2);
    assert_eq!(fixture.store.advance(at(200 * DAY), 10).await.unwrap().delivered, 1);
}

#[tokio::test]
async fn a_pass_forgets_every_old_idempotency_key() {
    let fixture = Fixture::new().await;
    fixture.sql("WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 12000)
               INSERT INTO idempotency (sender, key, request, answer, at) SELECT 'key:shop', n, '', '', n / 12000 * 1700000000000 FROM n").await;
    sweep(&fixture, &unlimited(), 1).await;
    assert_eq!(fixture.count("idempotency").await, 1, "only the recent key remains");
}

#[tokio::test]
async fn a_sweep_of_ten_thousand_clean_inboxes_writes_nothing() {
    let fixture = Fixture::new().await;
    let names: Vec<_> = (0..10_000).map(|n| format!("user-{n:05}")).collect();
    fixture.push("n", &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let before = fixture.store.commits();
    let mut sweep = Sweep::new(Retention::default(), at(0)).with_limit(3_000);
    let (mut inspected, mut calls) = (0, 0);
    loop {
        let swept = fixture.store.sweep(sweep.clone()).await.unwrap();
        assert_eq!(swept.pruned + swept.trimmed + swept.drifts.len() as u64, 0);
        (inspected, calls) = (inspected + swept.inboxes, calls + 1);
        sweep.after = swept.next;
        if sweep.after.is_none() {
            break;
        }
    }
    assert_eq!((inspected, calls), (10_000, 4));
    assert_eq!(fixture.store.commits(), before);
}

#[tokio::test]
async fn impossible_numbers_of_a_damaged_database_end_no_task() {
    let fixture = Fixture::new().await;
    fixture.push("a", &["ada", "bob"]).await;
    let largest = i64::MAX;
    for damage in [
        "UPDATE inboxes SET seq = -1, pending = -1, floor = -1".to_owned(),
        format!("UPDATE inboxes SET seq = {largest}, pending = {largest}, floor = {largest}"),
        format!("UPDATE deliveries SET created_at = {largest}; UPDATE changes SET at = -{largest}"),
    ] {
        fixture.sql(&format!("PRAGMA ignore_check_constraints = 1; {damage}")).await;
        let now = at(1);
        let _ = fixture.store.sweep(Sweep::new(Retention::default(), now)).await;
        let _ = fixture.store.advance(now, 100).await;
        let _ = fixture.store.push(push("b", &["ada", "cy"])).await;
        let _ = fixture.store.retract(&id("a"), now).await;
        let _ = fixture.store.page(&user("ada"), 10, None).await;
        let _ = fixture.store.changes(&user("ada"), Position::default(), 10).await;
        let _ = fixture.store.claim_unpublished(&[(user("ada"), 0)], PublishLimits::new(10, 1000)).await;
        fixture.store.ready().await.unwrap();
    }
    assert_eq!(fixture.push("c", &["dan"]).await.accepted, 1, "other inboxes work");
}

#[tokio::test]
async fn an_inbox_that_cannot_be_swept_is_passed_over_and_all_others_are_swept() {
    let fixture = Fixture::new().await;
    for name in ["a", "b"] {
        fixture.push(name, &["u1", "u2", "u4", "u5"]).await;
        fixture.push(&format!("{name}-of-u3"), &["u3"]).await;
    }
    // Such an id cannot be read.
    fixture.sql("UPDATE notifications SET id = '' WHERE id = 'a-of-u3'").await;
    let swept = sweep(&fixture, &unlimited_except(|keep| keep.count = Some(1)), 1).await;
    assert_eq!((swept.next, swept.inboxes, swept.pruned), (None, 4, 4));
    assert_eq!(swept.passed_over, [PassedOver::new(user("u3"), 2, "a stored id is invalid")]);
    let swept = sweep(&fixture, &unlimited(), 2).await;
    assert_eq!((swept.inboxes, swept.passed_over), (5, vec![]), "with nothing to remove, it can be swept");
}

#[tokio::test]
async fn a_cancelled_notification_is_forgotten_in_time_however_many_others_there_are() {
    let fixture = Fixture::new().await;
    fixture
        .sql(
            "INSERT INTO notifications (key, id, sender, digest, body, created_at)
             WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 10001)
             SELECT n, n, 'key:shop', x'', '{}', 1700000000000 FROM n;
             INSERT INTO scheduled (notification, user_id, due_at) SELECT key, 'bob', 9000000000000 FROM notifications",
        )
        .await;
    // As after a restart, which a cursor in memory would not survive.
    fixture.store.close().await;
    let store = SqliteStore::open_file(&fixture.file(), SqliteOptions::default()).await.unwrap();
    let mut later = push("n", &["ada"]);
    later.notification.send_after = Some(at(1_000 * DAY));
    store.push(later).await.unwrap();
    store.retract(&id("n"), at(1)).await.unwrap();
    let forgotten = async |now| store.sweep(Sweep::new(unlimited(), at(now))).await.unwrap().forgotten;
    assert_eq!((forgotten(90 * DAY).await, forgotten(90 * DAY + 1).await), (0, 1));
    assert_eq!((fixture.count("notifications").await, fixture.count("orphans").await), (10_001, 0));
}

#[tokio::test]
async fn orphans_that_were_never_noted_are_searched_where_an_earlier_server_stopped() {
    let fixture = Fixture::new().await;
    // The first 5,000 are scheduled, the others are orphans.
    fixture
        .sql(
            "INSERT INTO notifications (key, id, sender, digest, body, created_at)
             WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 18000)
             SELECT n, n, 'key:shop', x'', '{}', 1700000000000 FROM n;
             INSERT INTO scheduled (notification, user_id, due_at)
             SELECT key, 'bob', 9000000000000 FROM notifications WHERE key <= 5000",
        )
        .await;
    assert_eq!(sweep(&fixture, &unlimited(), 90 * DAY).await.forgotten, 0);
    fixture.store.close().await;
    let store = SqliteStore::open_file(&fixture.file(), SqliteOptions::default()).await.unwrap();
    let swept = store.sweep(Sweep::new(unlimited(), at(90 * DAY))).await.unwrap();
    assert_eq!(swept.forgotten, 13_000, "it goes on as long as it finds some");
    assert_eq!(fixture.count("notifications").await, 5_000);
}

#[tokio::test]
async fn a_notification_that_cannot_be_searched_does_not_keep_the_orphans_after_it() {
    let fixture = Fixture::new().await;
    fixture
        .sql(
            "INSERT INTO notifications (key, id, sender, digest, body, created_at)
             SELECT value, value, 'key:shop', x'', '{}', 1700000000000 FROM json_each('[1,2,3,4,5]');
             INSERT INTO withdrawals (notification, due_at, reason) VALUES (3, 9000000000000, 'expired');
             ALTER TABLE withdrawals RENAME TO all_withdrawals;
             CREATE VIEW withdrawals AS SELECT * FROM all_withdrawals WHERE abs(notification - 3 - 9223372036854775807 - 1) > 0",
        )
        .await;
    let (mut forgotten, mut unforgotten) = (0, 0);
    for _ in 0..10 {
        let swept = sweep(&fixture, &unlimited(), 90 * DAY).await;
        (forgotten, unforgotten) = (forgotten + swept.forgotten, unforgotten.max(swept.unforgotten));
    }
    assert_eq!((forgotten, unforgotten), (4, 1));
}

#[tokio::test]
async fn a_repaired_drift_is_reported_though_the_sweep_failed_after_it() {
    let fixture = Fixture::new().await;
    fixture.push("a", &["ada"]).await;
    fixture.sql("UPDATE inboxes SET pending = 7; ALTER TABLE idempotency RENAME TO hidden").await;
    let sweep = || fixture.store.sweep(Sweep::new(unlimited(), at(1)));
    sweep().await.unwrap_err();
    assert_eq!(fixture.store.head(&user("ada")).await.unwrap().pending, 1);
    fixture.sql("ALTER TABLE hidden RENAME TO idempotency").await;
    assert_eq!(sweep().await.unwrap().drifts, [Drift::new(user("ada"), 7, 1)]);
    assert_eq!(sweep().await.unwrap().drifts, []);
}

#[tokio::test]
async fn an_id_without_a_note_about_its_withdrawal_is_remembered_as_long() {
    let fixture = Fixture::new().await;
    fixture.push("n", &["ada"]).await;
    fixture.write("ada", InboxCommand::Remove(id("n"))).await.unwrap();
    fixture.store.retract(&id("n"), at(50 * DAY)).await.unwrap();
    // As of an earlier version, which noted no orphans.
    fixture.sql("DELETE FROM orphans").await;
    publish_all(&fixture).await;
    let cut = unlimited_except(|keep| keep.log_count = Some(0));
    let forgotten = async |days| sweep(&fixture, &cut, days * DAY).await.forgotten;
    assert_eq!((forgotten(91).await, forgotten(139).await, forgotten(140).await), (0, 0, 1));
}

#[tokio::test]
async fn user_ids_that_cannot_be_read_keep_no_other_inbox_from_being_swept_and_published() {
    let fixture = Fixture::new().await;
    for name in ["a", "b"] {
        fixture.store.push(push(name, &["a", "b1", "b2", "b3", "c", "d1", "d2"])).await.unwrap();
    }
    // As a damaged database may have them: with control characters, or too long.
    fixture.sql("UPDATE inboxes SET user_id = CAST(user_id || x'ff0a' AS TEXT) WHERE user_id > 'b' AND user_id <> 'c'").await;
    let one = Retention::unlimited().with_count(Some(1));
    for limit in [1, 2, 3, 4, 100] {
        let mut sweep = Sweep::new(one.clone(), at(2)).with_limit(limit);
        let (mut inboxes, mut unreadable, mut passes) = (0, 0, 0);
        loop {
            let swept = fixture.store.sweep(sweep.clone()).await.unwrap();
            assert_eq!(swept.passed_over, []);
            (inboxes, unreadable, passes) =
                (inboxes + swept.inboxes, unreadable + swept.unreadable, passes + 1);
            let Some(next) = swept.next else { break };
            assert!(passes < 9, "the sweep goes round");
            sweep = sweep.with_after(Some(next));
        }
        assert_eq!((inboxes, unreadable), (2, 5), "{limit}");
    }
    for name in ["a", "c"] {
        assert_eq!(fixture.store.page(&user(name), 9, None).await.unwrap().notifications.len(), 1, "{name}");
    }
    // Unreadable users take no place in a page, wherever it begins.
    for limit in [9, 2, 2, 2] {
        let mut behind = fixture.store.unpublished_users(limit).await.unwrap();
        behind.sort();
        assert_eq!(behind, [user("a"), user("c")], "{limit}");
    }
    let mut turns = Vec::new();
    for _ in 0..4 {
        turns.extend(fixture.store.unpublished_users(1).await.unwrap());
    }
    assert_eq!((&turns[..2], turns.len()), (&turns[2..], 4));
    assert_ne!(turns[0], turns[1]);
}
