use std::time::Duration;

use internal_notifications_models::{ChangeKind, Position, RemovedReason, ResetReason};
use internal_notifications_store::{InboxCommand, PublishLimits, Retention, StoreErrorKind, Sweep, Swept};

use crate::backend::Backend;
use crate::fixture::{Fixture, at, id, ids, push, push_at, unlimited_except, user};

const DAY: i64 = 24 * 60 * 60;

/// Returns the result of a sweep that found nothing to do.
fn idle(inboxes: u64) -> Swept {
    let mut swept = Swept::default();
    swept.inboxes = inboxes;
    swept
}

/// Pushes one notification a second, each named after its seq.
async fn fixture_with(on: Backend, pushes: i64) -> Fixture {
    let fixture = Fixture::new(on).await;
    for seconds in 1..=pushes {
        let push = push_at(at(seconds), push(&seconds.to_string(), &["ada"]));
        fixture.store.push(push).await.unwrap();
    }
    fixture
}

fn pruned(names: &[&str]) -> ChangeKind {
    ChangeKind::Removed { ids: ids(names), reason: RemovedReason::Pruned }
}

async fn notifications_beyond_the_retention_age_are_removed_by_a_change(on: Backend) {
    let fixture = fixture_with(on, 4).await;
    fixture.write("ada", InboxCommand::Opened(ids(&["2"]))).await.unwrap();
    let age = unlimited_except(|keep| keep.age = Some(Duration::from_secs(100)));
    assert_eq!(fixture.sweep(at(100), age.clone(), 10).await, idle(1));
    let swept = fixture.sweep(at(103), age, 10).await;
    assert_eq!((swept.pruned, swept.trimmed, swept.drifts), (3, 0, vec![]));
    let log = fixture.log("ada").await;
    assert_eq!((log.len(), &log[5].kind, log[5].stamp.at), (6, &pruned(&["1", "2", "3"]), at(103)));
    assert_eq!((fixture.ids("ada").await, fixture.pending("ada").await), (vec!["4".to_owned()], 1));
    assert_eq!(
        fixture.store.unpublished_users(10).await.unwrap(),
        [user("ada")],
        "the change is yet to be published"
    );
}

async fn notifications_beyond_the_retention_count_are_removed_oldest_first(on: Backend) {
    let fixture = fixture_with(on, 5).await;
    fixture.write("ada", InboxCommand::Remove(id("4"))).await.unwrap();
    let count = |count| unlimited_except(|keep| keep.count = Some(count));
    assert_eq!(fixture.sweep(at(10), count(4), 10).await.pruned, 0);
    assert_eq!(fixture.sweep(at(10), count(2), 10).await.pruned, 2);
    assert_eq!(fixture.ids("ada").await, ["5", "3"]);
    assert_eq!(fixture.log("ada").await[6].kind, pruned(&["1", "2"]));
    assert_eq!(fixture.push("1", &["ada"]).await.duplicates, 1, "its id is remembered");
    assert_eq!(fixture.sweep(at(10), count(0), 10).await.pruned, 2);
    assert_eq!((fixture.ids("ada").await.len(), fixture.pending("ada").await), (0, 0));
}

async fn one_change_removes_at_most_five_hundred_notifications(on: Backend) {
    let fixture = fixture_with(on, 501).await;
    let all = unlimited_except(|keep| keep.count = Some(0));
    assert_eq!(fixture.sweep(at(1_000), all, 10).await.pruned, 501);
    let page = fixture.store.page(&user("ada"), 10, None).await.unwrap();
    assert_eq!((page.head.position.seq, page.head.pending, page.notifications.len()), (503, 0, 0));
    let after = Position { seq: 500, tag: None };
    assert_eq!(fixture.reset("ada", after).await, Some(ResetReason::Diverged));
    let most = PublishLimits::new(1_000, 0);
    let unpublished = fixture.store.claim_unpublished(&[(user("ada"), 501)], most).await.unwrap();
    let removed = unpublished[0].changes.iter().map(|change| match &change.kind {
        ChangeKind::Removed { ids, reason: RemovedReason::Pruned } => (ids.len(), change.stamp.pending),
        other => panic!("{other:?}"),
    });
    assert_eq!(removed.collect::<Vec<_>>(), [(500, 1), (1, 0)]);
}

async fn a_log_is_cut_by_age_and_by_count(on: Backend) {
    let fixture = fixture_with(on, 6).await;
    let head = fixture.store.head(&user("ada")).await.unwrap();
    fixture.publish_all().await;
    let by_age = unlimited_except(|keep| keep.log_age = Some(Duration::from_secs(100)));
    let by_count = |count| unlimited_except(|keep| keep.log_count = Some(count));
    assert_eq!(fixture.sweep(at(100), by_age.clone(), 10).await.trimmed, 0);
    assert_eq!(fixture.sweep(at(102), by_age, 10).await.trimmed, 2);
    assert_eq!(fixture.sweep(at(102), by_count(4), 10).await.trimmed, 0);
    assert_eq!(fixture.sweep(at(102), by_count(1), 10).await.trimmed, 3);
    assert_eq!(fixture.reset("ada", Position::default()).await, Some(ResetReason::Trimmed));
    assert_eq!(fixture.sweep(at(102), by_count(0), 10).await.trimmed, 1);
    assert_eq!(fixture.changes("ada", head.position, 10).await, (vec![], false));
    assert_eq!(fixture.store.head(&user("ada")).await.unwrap(), head);
    assert_eq!(fixture.ids("ada").await.len(), 6, "trimming the log removes no notifications");
    fixture.push("7", &["ada"]).await;
    assert_eq!(fixture.changes("ada", head.position, 10).await.0.len(), 1);
}

async fn unpublished_changes_are_never_trimmed(on: Backend) {
    let fixture = fixture_with(on, 5).await;
    let nothing = unlimited_except(|keep| (keep.log_count, keep.log_age) = (Some(0), Some(Duration::ZERO)));
    assert_eq!(fixture.sweep(at(1_000), nothing.clone(), 10).await.trimmed, 0);
    fixture.mark(&[("ada", 3)]).await;
    assert_eq!(fixture.sweep(at(1_000), nothing.clone(), 10).await.trimmed, 3);
    fixture.publish_all().await;
    assert_eq!(fixture.sweep(at(1_000), nothing, 10).await.trimmed, 2);
}

async fn operations_are_remembered_as_long_as_the_log(on: Backend) {
    let fixture = fixture_with(on, 1).await;
    let open = || fixture.write_as("ada", "op", InboxCommand::Opened(ids(&["1"])));
    assert_eq!(open().await.unwrap().seq, Some(2));
    fixture.write("ada", InboxCommand::Unopened(ids(&["1"]))).await.unwrap();
    fixture.cut_logs(2).await;
    assert_eq!(open().await.unwrap().seq, None);
    fixture.cut_logs(1).await;
    assert_eq!(open().await.unwrap().seq, Some(4));
}

async fn ids_are_remembered_for_ninety_days_and_as_long_as_the_log(on: Backend) {
    let fixture = fixture_with(on, 1).await;
    fixture.write("ada", InboxCommand::Remove(id("1"))).await.unwrap();
    let again = |seconds| fixture.store.push(push_at(at(seconds), push("1", &["ada"])));
    let removed = 50;
    fixture.publish_all().await;
    fixture.sweep(at(removed + 90 * DAY), unlimited_except(|_| {}), 10).await;
    assert_eq!(again(1_000).await.unwrap().duplicates, 1, "the log still mentions it");
    fixture.sweep(at(removed + 90 * DAY - 1), unlimited_except(|keep| keep.log_count = Some(0)), 10).await;
    assert_eq!(again(2_000).await.unwrap().duplicates, 1, "ids are remembered for ninety days");
    fixture.sweep(at(removed + 90 * DAY), unlimited_except(|keep| keep.log_count = Some(0)), 10).await;
    assert_eq!(again(3_000).await.unwrap().accepted, 1);
    assert_eq!((fixture.ids("ada").await, fixture.pending("ada").await), (vec!["1".to_owned()], 1));
}

async fn an_orphaned_notification_is_forgotten_and_its_id_can_be_used_again(on: Backend) {
    let fixture = fixture_with(on, 1).await;
    let mut later = push("later", &["ada"]);
    later.notification.send_after = Some(at(200 * DAY));
    fixture.store.push(later).await.unwrap();
    fixture.push("kept", &["ada"]).await;
    fixture.store.retract(&id("1"), at(10)).await.unwrap();
    fixture.publish_all().await;
    let cut = unlimited_except(|keep| keep.log_count = Some(0));
    fixture.sweep(at(10 + 90 * DAY - 1), cut.clone(), 10).await;
    assert_eq!(fixture.store.retract(&id("1"), at(11)).await.unwrap().removed, 0);
    fixture.sweep(at(11 + 90 * DAY - 1), cut.clone(), 10).await;
    assert_eq!(fixture.push("1", &["bob"]).await.duplicates, 1, "the last withdrawal counts");
    assert_eq!(fixture.sweep(at(11 + 90 * DAY), cut, 10).await.forgotten, 1);
    assert_eq!(fixture.store.retract(&id("1"), at(12)).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    let mut other = push("1", &["ada"]);
    other.notification.content = "other".to_owned();
    assert_eq!(fixture.store.push(other).await.unwrap().accepted, 1);
    assert_eq!(fixture.advance(at(200 * DAY), 10).await.delivered, 1);
    assert_eq!(fixture.ids("ada").await, ["later", "1", "kept"]);
}

async fn an_id_is_remembered_for_ninety_days_after_its_withdrawal(on: Backend) {
    let fixture = Fixture::new(on).await;
    let far = || {
        let mut push = push("retracted", &["ada"]);
        push.notification.send_after = Some(at(200 * DAY));
        push
    };
    let mut expiring = push("expired", &["ada"]);
    expiring.notification.send_after = Some(at(80 * DAY));
    expiring.notification.expires_at = Some(at(95 * DAY));
    fixture.store.push(far()).await.unwrap();
    fixture.store.push(expiring.clone()).await.unwrap();
    assert_eq!(fixture.store.retract(&id("retracted"), at(95 * DAY)).await.unwrap().cancelled, 1);
    assert_eq!(fixture.advance(at(95 * DAY), 10).await.expired, 1);
    let duplicates = async |day: i64| {
        fixture.sweep(at(day * DAY), unlimited_except(|_| {}), 10).await;
        let mut duplicates = 0;
        for push in [far(), expiring.clone()] {
            duplicates += fixture.store.push(push_at(at(day * DAY), push)).await.map_or(0, |r| r.duplicates);
        }
        duplicates
    };
    assert_eq!((duplicates(96).await, duplicates(184).await), (2, 2));
    assert_eq!(duplicates(185).await, 0);
    assert_eq!(fixture.advance(at(200 * DAY), 10).await.delivered, 1, "its id was used again");
}

async fn one_pass_forgets_every_notification_whose_last_delivery_is_forgotten(on: Backend) {
    let mut fixture = Fixture::new(on).await;
    for n in 0..1_100 {
        fixture.push(&format!("n{n}"), &["ada"]).await;
    }
    fixture.push("shared", &["ada", "bob"]).await;
    fixture.sweep(at(1), unlimited_except(|keep| keep.count = Some(0)), 1).await;
    fixture.publish_all().await;
    fixture.push("n0", &["bob"]).await;
    fixture.reopen().await;
    let cut = unlimited_except(|keep| keep.log_count = Some(0));
    assert_eq!(fixture.sweep(at(90 * DAY), cut.clone(), 10).await.forgotten, 0);
    let swept = fixture.sweep(at(1 + 90 * DAY), cut.clone(), 1).await;
    assert_eq!(swept.forgotten, 1_100, "all but the one that was pushed to another user");
    assert_eq!(fixture.push("n0", &["bob"]).await.duplicates, 1);
    assert_eq!(fixture.push("n1", &["ada"]).await.accepted, 1);
    assert_eq!(fixture.sweep(at(2 + 90 * DAY), cut, 10).await.forgotten, 0);
}

async fn inboxes_are_swept_in_the_order_of_their_users(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.push("n", &["u3", "u1", "u5", "u2", "u4"]).await;
    let sweep = |after: Option<&str>| {
        let after = after.map(user);
        fixture.store.sweep(
            Sweep::new(unlimited_except(|keep| keep.count = Some(0)), at(1)).with_after(after).with_limit(2),
        )
    };
    assert_eq!(sweep(Some("u2")).await.unwrap().next, Some(user("u4")));
    assert_eq!(fixture.ids("u2").await.len() + fixture.ids("u5").await.len(), 2);
    assert_eq!(fixture.ids("u3").await.len() + fixture.ids("u4").await.len(), 0);
    let last = sweep(Some("u4")).await.unwrap();
    assert_eq!((last.inboxes, last.pruned, last.next), (1, 1, None));
    assert_eq!(sweep(None).await.unwrap().next, Some(user("u2")));
    assert_eq!(fixture.sweep(at(1), unlimited_except(|_| {}), 2).await.inboxes, 5);
}

async fn a_sweep_with_nothing_to_do_changes_nothing(on: Backend) {
    let fixture = fixture_with(on, 3).await;
    fixture.push("n", &["bob"]).await;
    fixture.publish_all().await;
    let before = (fixture.store.head(&user("ada")).await.unwrap(), fixture.log("ada").await);
    let swept = fixture.sweep(at(100), Retention::default(), 10).await;
    assert_eq!(swept, idle(2));
    assert_eq!((fixture.store.head(&user("ada")).await.unwrap(), fixture.log("ada").await), before);
    assert!(fixture.store.unpublished_users(10).await.unwrap().is_empty());
}

on_every_store!(
    notifications_beyond_the_retention_age_are_removed_by_a_change,
    notifications_beyond_the_retention_count_are_removed_oldest_first,
    one_change_removes_at_most_five_hundred_notifications,
    a_log_is_cut_by_age_and_by_count,
    unpublished_changes_are_never_trimmed,
    operations_are_remembered_as_long_as_the_log,
    ids_are_remembered_for_ninety_days_and_as_long_as_the_log,
    an_orphaned_notification_is_forgotten_and_its_id_can_be_used_again,
    an_id_is_remembered_for_ninety_days_after_its_withdrawal,
    one_pass_forgets_every_notification_whose_last_delivery_is_forgotten,
    inboxes_are_swept_in_the_order_of_their_users,
    a_sweep_with_nothing_to_do_changes_nothing,
);
