use std::time::Duration;

use internal_notifications_models::Timestamp;
use internal_notifications_store::{Advanced, Push};

use crate::backend::Backend;
use crate::fixture::{Fixture, at, id, push, push_at, user};

/// Returns a push at second 0 that is scheduled.
fn later(name: &str, users: &[&str], due: Timestamp) -> Push {
    let mut push = push(name, users);
    push.notification.send_after = Some(due);
    push
}

fn delivered(delivered: u64, late: u64) -> Advanced {
    let mut advanced = Advanced::default();
    (advanced.delivered, advanced.lateness) = (delivered, Duration::from_secs(late));
    advanced.has_more = delivered > 0;
    advanced
}

fn names(number: usize) -> Vec<String> {
    (0..number).map(|n| format!("user-{n}")).collect()
}

async fn a_scheduled_notification_is_delivered_when_it_is_due_and_not_before(on: Backend) {
    let fixture = Fixture::new(on).await;
    let receipt = fixture.store.push(later("n", &["ada", "bob"], at(10))).await.unwrap();
    assert_eq!((receipt.accepted, receipt.duplicates, receipt.scheduled), (0, 0, 2));
    assert_eq!(
        fixture.store.advance("2023-11-14T22:13:29.999Z".parse().unwrap(), 10).await.unwrap(),
        delivered(0, 0)
    );
    assert_eq!((fixture.log("ada").await, fixture.ids("ada").await.len()), (vec![], 0));
    assert!(fixture.store.unpublished_users(10).await.unwrap().is_empty());
    assert_eq!(fixture.store.advance(at(10), 10).await.unwrap(), delivered(2, 0));
    let log = fixture.log("ada").await;
    assert_eq!((log.len(), log[0].stamp.at, log[0].stamp.pending), (1, at(10), 1));
    let row = fixture.store.notification(&user("bob"), &id("n")).await.unwrap().unwrap();
    assert_eq!((row.created_at, row.send_after, row.added), (at(10), Some(at(10)), 1));
    let mut behind = fixture.store.unpublished_users(10).await.unwrap();
    behind.sort();
    assert_eq!(behind, [user("ada"), user("bob")]);
    assert!(fixture.store.advance(at(1_000), 10).await.unwrap().is_idle());
}

async fn lateness_is_that_of_the_earliest_due_notification(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.store.push(later("a", &["ada"], at(12))).await.unwrap();
    fixture.store.push(later("b", &["ada"], at(10))).await.unwrap();
    assert_eq!(fixture.store.advance(at(13), 10).await.unwrap(), delivered(2, 3));
}

async fn a_notification_that_is_already_due_is_delivered_at_once(on: Backend) {
    let fixture = Fixture::new(on).await;
    for (name, due) in [("a", at(0)), ("b", at(-10))] {
        assert_eq!(fixture.store.push(later(name, &["ada"], due)).await.unwrap().accepted, 1);
    }
    assert_eq!(fixture.ids("ada").await, ["b", "a"]);
    assert!(fixture.store.advance(at(1), 10).await.unwrap().is_idle());
}

async fn deliveries_are_ordered_by_due_time_and_then_by_push(on: Backend) {
    let fixture = Fixture::new(on).await;
    for (name, due) in [("c", 30), ("z", 20), ("a", 10), ("b", 20)] {
        fixture.store.push(later(name, &["ada"], at(due))).await.unwrap();
    }
    assert_eq!(fixture.advance(at(25), 2).await.delivered, 3);
    assert_eq!(fixture.ids("ada").await, ["b", "z", "a"]);
    assert_eq!(fixture.advance(at(40), 2).await.delivered, 1);
    assert_eq!(fixture.ids("ada").await, ["c", "b", "z", "a"]);
}

async fn a_scheduled_recipient_is_a_duplicate_and_receives_it_once(on: Backend) {
    let fixture = Fixture::new(on).await;
    let again = |users: &[&str], seconds| {
        let push = push_at(at(seconds), later("n", users, at(10)));
        async { fixture.store.push(push).await.map(|r| (r.accepted, r.duplicates, r.scheduled)).unwrap() }
    };
    assert_eq!(again(&["ada"], 0).await, (0, 0, 1));
    assert_eq!(again(&["ada", "bob"], 5).await, (0, 1, 1));
    assert_eq!(again(&["ada", "eve"], 11).await, (1, 1, 0), "due, but not delivered yet");
    assert_eq!(fixture.advance(at(12), 10).await.delivered, 2);
    assert_eq!(again(&["ada", "bob", "eve", "new"], 13).await, (1, 3, 0));
    for name in ["ada", "bob", "eve", "new"] {
        assert_eq!((fixture.log(name).await.len(), fixture.pending(name).await), (1, 1), "{name}");
    }
}

async fn advance_delivers_about_its_limit_until_it_is_idle(on: Backend) {
    let fixture = Fixture::new(on).await;
    let names = names(10);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    fixture.store.push(later("n", &names, at(10))).await.unwrap();
    let done = fixture.store.advance(at(10), 3).await.unwrap();
    assert_eq!(done.delivered, 3);
    assert_eq!(fixture.advance(at(10), 3).await.delivered, 7);
    for name in names {
        assert_eq!(fixture.log(name).await.len(), 1);
    }
}

async fn a_notification_for_one_user_does_not_wait_for_large_ones(on: Backend) {
    let fixture = Fixture::new(on).await;
    let names = names(100);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    for n in 0..10 {
        fixture.store.push(later(&format!("large-{n}"), &names, at(10))).await.unwrap();
    }
    fixture.store.push(later("small", &["ada"], at(11))).await.unwrap();
    assert_eq!(fixture.store.advance(at(12), 22).await.unwrap(), delivered(21, 2));
    assert_eq!(fixture.ids("ada").await, ["small"]);
    assert_eq!(fixture.ids("user-1").await.len(), 10, "the large ones share the limit");
    assert_eq!(fixture.advance(at(12), 1_000).await.delivered, 980);
    assert_eq!(fixture.ids("user-99").await.len(), 10);
}

async fn a_round_reaches_more_notifications_than_a_step(on: Backend) {
    let fixture = Fixture::new(on).await;
    for n in 0..8 {
        fixture.store.push(later(&format!("large-{n}"), &["bob", "eve", "fay"], at(10))).await.unwrap();
    }
    fixture.store.push(later("small", &["ada"], at(11))).await.unwrap();
    for step in 1..=3 {
        assert_eq!(fixture.ids("ada").await.len(), 0, "step {step}");
        assert_eq!(fixture.store.advance(at(12), 3).await.unwrap().delivered, 3);
    }
    assert_eq!(fixture.ids("ada").await, ["small"]);
    assert_eq!(fixture.advance(at(12), 3).await.delivered, 16);
}

async fn a_due_notification_does_not_wait_for_large_expiries(on: Backend) {
    let fixture = Fixture::new(on).await;
    let names = names(50);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    for n in 0..4 {
        let mut push = push(&format!("large-{n}"), &names);
        push.notification.expires_at = Some(at(10));
        fixture.store.push(push).await.unwrap();
    }
    let mut short = push("short", &["eve"]);
    short.notification.expires_at = Some(at(11));
    fixture.store.push(short).await.unwrap();
    fixture.store.push(later("small", &["ada"], at(11))).await.unwrap();
    let done = fixture.store.advance(at(12), 10).await.unwrap();
    assert_eq!((done.withdrawn, done.delivered), (9, 1));
    assert_eq!((fixture.ids("ada").await.len(), fixture.ids("eve").await.len()), (1, 0));
    assert_eq!(fixture.advance(at(12), 10).await.withdrawn, 192);
}

async fn a_schedule_outlives_the_server(on: Backend) {
    let mut fixture = Fixture::new(on).await;
    fixture.store.push(later("n", &["ada"], at(10))).await.unwrap();
    fixture.reopen().await;
    assert_eq!(fixture.advance(at(10), 10).await.delivered, 1);
    fixture.reopen().await;
    assert!(fixture.advance(at(11), 10).await.is_idle());
    assert_eq!(fixture.ids("ada").await, ["n"]);
}

on_every_store!(
    a_scheduled_notification_is_delivered_when_it_is_due_and_not_before,
    lateness_is_that_of_the_earliest_due_notification,
    a_notification_that_is_already_due_is_delivered_at_once,
    deliveries_are_ordered_by_due_time_and_then_by_push,
    a_scheduled_recipient_is_a_duplicate_and_receives_it_once,
    advance_delivers_about_its_limit_until_it_is_idle,
    a_notification_for_one_user_does_not_wait_for_large_ones,
    a_round_reaches_more_notifications_than_a_step,
    a_due_notification_does_not_wait_for_large_expiries,
    a_schedule_outlives_the_server,
);
