use internal_notifications_models::{ChangeKind, RemovedReason};
use internal_notifications_store::{InboxCommand, Push, StoreErrorKind};

use crate::backend::Backend;
use crate::fixture::{Fixture, at, id, ids, push, push_at, user};

/// Retracts, and returns the numbers of cancelled deliveries and of removals.
async fn retract(fixture: &Fixture, name: &str) -> (u64, u64) {
    let retraction = fixture.store.retract(&id(name), at(70)).await.unwrap();
    assert_eq!(retraction.id, id(name));
    (retraction.cancelled, retraction.removed)
}

fn later(name: &str, users: &[&str]) -> Push {
    let mut push = push(name, users);
    push.notification.send_after = Some(at(10));
    push
}

async fn a_retracted_notification_is_removed_from_every_inbox_by_a_change(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.push("n", &["ada", "bob", "eve"]).await;
    fixture.push("other", &["ada", "bob"]).await;
    fixture.write("ada", InboxCommand::Opened(vec![id("n")])).await.unwrap();
    fixture.write("eve", InboxCommand::Remove(id("n"))).await.unwrap();
    assert_eq!(retract(&fixture, "n").await, (0, 2));
    for (name, seqs) in [("ada", 4), ("bob", 3)] {
        let log = fixture.log(name).await;
        assert_eq!(log.len(), seqs, "{name}");
        let left = ChangeKind::Removed { ids: ids(&["n"]), reason: RemovedReason::Retracted };
        let last = log.last().unwrap();
        assert_eq!((&last.kind, last.stamp.at, last.stamp.pending), (&left, at(70), 1), "{name}");
        assert_eq!((fixture.ids(name).await, fixture.pending(name).await), (vec!["other".to_owned()], 1));
        assert_eq!(fixture.store.notification(&user(name), &id("n")).await.unwrap(), None);
    }
    assert_eq!(fixture.log("eve").await.len(), 2);
    assert!(fixture.advance(at(80), 10).await.is_idle());
}

async fn a_retraction_cancels_scheduled_deliveries(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.store.push(later("n", &["ada", "bob"])).await.unwrap();
    fixture.store.push(push_at(at(20), later("n", &["eve"]))).await.unwrap();
    fixture.store.push(later("other", &["ada"])).await.unwrap();
    assert_eq!(retract(&fixture, "n").await, (2, 1));
    assert_eq!(fixture.advance(at(80), 10).await.delivered, 1);
    assert_eq!(fixture.ids("ada").await, ["other"]);
    assert!(fixture.log("bob").await.is_empty());
    assert_eq!(fixture.log("eve").await.len(), 2);
}

async fn a_retraction_of_an_unknown_id_is_rejected(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.push("n", &["ada"]).await;
    assert_eq!(fixture.store.retract(&id("zzz"), at(1)).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert_eq!(fixture.ids("ada").await, ["n"]);
}

async fn a_repeated_retraction_succeeds_and_removes_nothing(on: Backend) {
    let mut fixture = Fixture::new(on).await;
    fixture.push("n", &["ada"]).await;
    assert_eq!(retract(&fixture, "n").await, (0, 1));
    assert_eq!(retract(&fixture, "n").await, (0, 0));
    fixture.reopen().await;
    assert_eq!(retract(&fixture, "n").await, (0, 0));
    assert_eq!(fixture.log("ada").await.len(), 2);
}

async fn a_repeated_push_after_a_retraction_delivers_nothing(on: Backend) {
    let mut fixture = Fixture::new(on).await;
    fixture.push("n", &["ada"]).await;
    fixture.store.push(later("later", &["ada"])).await.unwrap();
    retract(&fixture, "n").await;
    retract(&fixture, "later").await;
    for _ in 0..2 {
        assert_eq!(fixture.push("n", &["ada", "new"]).await.duplicates, 2);
        assert_eq!(fixture.store.push(later("later", &["ada", "new"])).await.unwrap().duplicates, 2);
        fixture.reopen().await;
    }
    assert!(fixture.advance(at(80), 10).await.is_idle());
    assert!(fixture.ids("ada").await.is_empty() && fixture.log("new").await.is_empty());
    let mut other = push("n", &["ada"]);
    other.notification.content = "other".to_owned();
    assert_eq!(
        fixture.store.push(other).await.unwrap_err().kind(),
        StoreErrorKind::IdTaken,
        "the id stays taken"
    );
}

async fn a_notification_that_was_retracted_before_it_expires_is_removed_once(on: Backend) {
    let fixture = Fixture::new(on).await;
    let mut pushed = push("n", &["ada"]);
    pushed.notification.expires_at = Some(at(100));
    fixture.store.push(pushed).await.unwrap();
    assert_eq!(retract(&fixture, "n").await, (0, 1));
    assert!(fixture.advance(at(100), 10).await.is_idle());
    assert_eq!(fixture.log("ada").await.len(), 2);
}

async fn a_retraction_from_thousands_of_inboxes_is_answered_before_it_is_finished(on: Backend) {
    let mut fixture = Fixture::new(on).await;
    let names: Vec<_> = (0..2_500).map(|n| format!("user-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    fixture.push("n", &names).await;
    assert_eq!(retract(&fixture, "n").await, (0, 2_500));
    assert_eq!(fixture.ids("user-0").await, ["n"]);
    assert_eq!(retract(&fixture, "n").await, (0, 0), "a repeat counts nothing");
    assert_eq!(fixture.push("n", &["new"]).await.duplicates, 1);
    let done = fixture.store.advance(at(80), 1_000).await.unwrap();
    assert!((1..=1_000).contains(&done.withdrawn));
    fixture.reopen().await;
    assert_eq!(fixture.advance(at(80), 1_000).await.withdrawn, 2_500 - done.withdrawn);
    for name in ["user-0", "user-999", "user-1000", "user-2499"] {
        assert_eq!((fixture.ids(name).await.len(), fixture.pending(name).await), (0, 0), "{name}");
    }
    assert!(fixture.advance(at(80), 10).await.is_idle());
}

/// While a clock is in doubt, the time of a retraction is ahead of what counts as now.
async fn a_large_retraction_is_due_at_once_although_its_time_is_ahead(on: Backend) {
    let fixture = Fixture::new(on).await;
    let names: Vec<_> = (0..1_001).map(|n| format!("user-{n}")).collect();
    fixture.push("n", &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let retraction = fixture.store.retract(&id("n"), at(400 * 24 * 3600)).await.unwrap();
    assert_eq!(retraction.removed, 1_001);
    assert_eq!(fixture.advance(at(70), 1_000).await.withdrawn, 1_001);
    assert!(fixture.ids("user-0").await.is_empty() && fixture.ids("user-1000").await.is_empty());
}

async fn nobody_receives_a_large_schedule_after_its_retraction_is_answered(on: Backend) {
    let mut fixture = Fixture::new(on).await;
    let names: Vec<_> = (0..10_001).map(|n| format!("user-{n}")).collect();
    for names in names.chunks(5_000) {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        assert_eq!(fixture.store.push(later("n", &names)).await.unwrap().scheduled, names.len() as u64);
    }
    fixture.store.push(later("other", &["user-0"])).await.unwrap();
    assert_eq!(fixture.store.advance(at(10), 10).await.unwrap().delivered, 6);
    assert_eq!(retract(&fixture, "n").await, (9_996, 5));
    assert_eq!(retract(&fixture, "n").await, (0, 0), "a repeat counts nothing");
    let done = fixture.store.advance(at(80), 1_000).await.unwrap();
    assert_eq!((done.delivered, done.withdrawn, done.has_more), (0, 0, true), "each removal counts once");
    fixture.reopen().await;
    let done = fixture.advance(at(80), 1_000).await;
    assert_eq!((done.delivered, done.withdrawn, done.expired), (0, 0, 0));
    assert_eq!(fixture.ids("user-0").await, ["other"]);
    assert!(fixture.ids("user-9999").await.is_empty() && fixture.log("user-10000").await.is_empty());
}

on_every_store!(
    a_retracted_notification_is_removed_from_every_inbox_by_a_change,
    a_retraction_cancels_scheduled_deliveries,
    a_retraction_of_an_unknown_id_is_rejected,
    a_repeated_retraction_succeeds_and_removes_nothing,
    a_repeated_push_after_a_retraction_delivers_nothing,
    a_notification_that_was_retracted_before_it_expires_is_removed_once,
    a_retraction_from_thousands_of_inboxes_is_answered_before_it_is_finished,
    a_large_retraction_is_due_at_once_although_its_time_is_ahead,
    nobody_receives_a_large_schedule_after_its_retraction_is_answered,
);
