use std::time::Duration;

use internal_notifications_mock::MockHub;
use internal_notifications_mock::models::{InternalNotification, Timestamp};
use internal_notifications_service::{InternalNotificationsService, ServiceErrorKind};

use crate::{kind, live, note, shown};

const HOUR: Duration = Duration::from_secs(3600);

fn after(hub: &MockHub, time: Duration) -> Timestamp {
    hub.clock().now().checked_add(time).unwrap()
}

fn push(hub: &MockHub, users: &[&str], notification: InternalNotification) -> (u64, u64, u64) {
    let receipt = hub.push_as_backend("shop", users.iter().copied(), notification).unwrap();
    (receipt.accepted, receipt.duplicates, receipt.scheduled)
}

#[test]
fn a_scheduled_notification_is_delivered_at_its_time() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let due = after(&hub, HOUR);
    assert_eq!(push(&hub, &["ada", "bob"], note("second").with_send_after(due)), (0, 0, 2));
    let sooner = note("first").with_send_after(after(&hub, HOUR / 2));
    assert_eq!(push(&hub, &["ada"], sooner), (0, 0, 1));
    assert_eq!(
        push(&hub, &["ada"], note("second").with_send_after(due)),
        (0, 1, 0),
        "it is scheduled for her"
    );
    hub.clock().advance(HOUR - Duration::from_millis(1));
    assert_eq!((shown(&ada), hub.inbox("bob").notifications.len()), (vec!["first".to_owned()], 0));
    hub.clock().advance(HOUR);
    assert_eq!(shown(&ada), ["second", "first"]);
    assert_eq!(ada.snapshot().notifications[0].created_at, due);
    assert_eq!(hub.inbox("bob").notifications[0].id.as_str(), "second");
    assert_eq!(push(&hub, &["ada"], note("second").with_send_after(due)), (0, 1, 0), "she has it already");
    assert_eq!(push(&hub, &["eve"], note("second").with_send_after(due)), (1, 0, 0), "it is overdue");
}

#[test]
fn an_expired_notification_is_removed_and_cannot_be_pushed() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let short = note("short").with_expires_at(after(&hub, HOUR));
    assert_eq!(push(&hub, &["ada"], short.clone()), (1, 0, 0));
    let scheduled =
        note("scheduled").with_send_after(after(&hub, HOUR * 3)).with_expires_at(after(&hub, HOUR * 4));
    assert_eq!(push(&hub, &["ada"], scheduled), (0, 0, 1));
    hub.clock().advance(HOUR);
    assert_eq!((shown(&ada).len(), ada.snapshot().pending), (0, 0));
    assert_eq!(push(&hub, &["ada", "bob"], short), (0, 2, 0));
    let late = note("late").with_expires_at(hub.clock().now());
    assert_eq!(kind(hub.push_as_backend("shop", ["ada"], late)), ServiceErrorKind::Invalid);
    hub.clock().advance(HOUR * 9);
    let seqs = ada.snapshot().position.seq;
    assert_eq!((shown(&ada).len(), seqs), (0, 4), "it was added and removed");
}

#[test]
fn a_retracted_notification_is_removed_and_not_delivered_later() {
    let hub = MockHub::new();
    let (ada, bob) = (live(hub.service("ada")), live(hub.service("bob")));
    push(&hub, &["ada", "bob"], note("n"));
    push(&hub, &["ada"], note("later").with_send_after(after(&hub, HOUR)));
    bob.go_offline();
    let retracted = hub.retract_as_backend("shop", "n").unwrap();
    assert_eq!((retracted.cancelled, retracted.removed), (0, 2));
    assert_eq!((shown(&ada).len(), ada.snapshot().pending, shown(&bob).len()), (0, 0, 1));
    bob.go_online();
    assert_eq!((shown(&bob).len(), bob.snapshot().pending), (0, 0));
    let retracted = hub.retract_as_backend("shop", "later").unwrap();
    assert_eq!((retracted.cancelled, retracted.removed), (1, 0));
    hub.clock().advance(HOUR * 2);
    assert!(shown(&ada).is_empty());
    assert_eq!(push(&hub, &["ada", "eve"], note("n")), (0, 2, 0), "it is no longer delivered");
    assert_eq!(kind(hub.retract_as_backend("shop", "never")), ServiceErrorKind::Unknown);
    assert_eq!(kind(hub.retract_as_backend("shop", "")), ServiceErrorKind::Invalid);
}

#[test]
fn a_restored_backup_includes_scheduled_notifications() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    push(&hub, &["ada"], note("n").with_send_after(after(&hub, HOUR)));
    let backup = hub.backup();
    hub.retract_as_backend("shop", "n").unwrap();
    hub.restore(&backup);
    hub.clock().advance(HOUR);
    assert_eq!(shown(&ada), ["n"]);
}
