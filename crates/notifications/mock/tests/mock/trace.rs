use std::time::Duration;

use internal_notifications_mock::models::InternalNotification;
use internal_notifications_mock::{Call, MockHub};
use internal_notifications_service::{InternalNotificationsService, ServiceErrorKind};

use super::{live, now, user};

/// A run with something of everything.
fn run() -> (Vec<String>, String) {
    let hub = MockHub::new();
    let (ada, phone) = (live(hub.service_builder("ada").window(2).build()), live(hub.service("ada")));
    let bob = live(hub.service("bob"));
    let secret = || InternalNotification::new("a secret");
    let pushed = now(bob.push(&[user("ada"), user("bob")], secret())).unwrap();
    phone.drop_next_events(1);
    hub.push_as_backend("shop", ["ada"], secret()).unwrap();
    now(ada.mark_opened(std::slice::from_ref(&pushed.id))).unwrap();
    phone.go_offline();
    now(phone.remove(&pushed.id)).unwrap();
    now(phone.mark_all_opened()).unwrap();
    let backup = hub.backup();
    hub.push_as_backend("shop", ["ada"], secret()).unwrap();
    hub.clock().advance(Duration::from_millis(61_500));
    phone.go_online();
    hub.restore(&backup);
    bob.fail_next(Call::Push, ServiceErrorKind::Forbidden);
    now(bob.push(&[user("ada")], secret())).unwrap_err();
    now(bob.push(&[user("ada")], secret())).unwrap();
    now(ada.load_older(1)).unwrap();
    now(ada.dispose());
    (hub.trace(), format!("{:?}", (ada.snapshot(), phone.snapshot(), bob.snapshot(), hub.inbox("ada"))))
}

#[test]
fn the_same_run_gives_the_same_trace() {
    let first = run();
    assert_eq!(run(), first);
    assert!(first.0.len() > 30, "{:#?}", first.0);
}

#[test]
fn nothing_of_what_notifications_say_is_in_the_trace_or_in_debug() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    hub.push_as_backend("shop", ["ada"], InternalNotification::new("a secret")).unwrap();
    let shown =
        format!("{:?}", (&hub, &ada, hub.backup(), hub.clock(), hub.service_builder("ada"), hub.trace()));
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("mock-1") && shown.contains("Live"));
}

#[test]
fn the_trace_reads_well() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    ada.drop_next_events(1);
    for _ in 0..2 {
        hub.push_as_backend("shop", ["ada"], InternalNotification::new("c")).unwrap();
    }
    hub.clock().advance(Duration::from_secs(5));
    ada.go_offline();
    now(ada.mark_all_opened()).unwrap();
    ada.go_online();
    let expected = "\
2026-01-01T00:00:00Z ada#1 asks for a snapshot
2026-01-01T00:00:00Z ada#1 init
2026-01-01T00:00:00Z key:shop pushes \"mock-1\": 1 accepted, 0 duplicates, 0 scheduled
2026-01-01T00:00:00Z ada#1 loses 1 added \"mock-1\"
2026-01-01T00:00:00Z key:shop pushes \"mock-2\": 1 accepted, 0 duplicates, 0 scheduled
2026-01-01T00:00:00Z ada#1 gets 2 added \"mock-2\"
2026-01-01T00:00:00Z ada#1 asks what came after 0
2026-01-01T00:00:00Z hub the clock goes on by 5s
2026-01-01T00:00:05Z ada#1 is offline
2026-01-01T00:00:05Z ada#1 mark_all_opened, queued
2026-01-01T00:00:05Z ada#1 is online
2026-01-01T00:00:05Z ada#1 asks what came after 2
2026-01-01T00:00:05Z ada#1 gets 3 opened all through 2
2026-01-01T00:00:05Z ada#1 sends the queued op-1";
    assert_eq!(hub.trace().join("\n"), expected);
}
