use std::time::Duration;

use internal_notifications_mock::models::InternalNotification;
use internal_notifications_mock::{Call, MockHub};
use internal_notifications_service::{InternalNotificationsService, ServiceErrorKind};

use super::{live, now, user};

/// Returns the trace and the final state of a run that uses every feature.
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
fn two_runs_have_the_same_trace() {
    let first = run();
    assert_eq!(run(), first);
    assert!(first.0.len() > 30, "{:#?}", first.0);
}

#[test]
fn neither_trace_nor_debug_output_contains_contents() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    hub.push_as_backend("shop", ["ada"], InternalNotification::new("a secret")).unwrap();
    let shown =
        format!("{:?}", (&hub, &ada, hub.backup(), hub.clock(), hub.service_builder("ada"), hub.trace()));
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("-000000000001") && shown.contains("Live"));
}

#[test]
fn the_trace_is_readable() {
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
2026-01-01T00:00:00Z key:shop pushes \"00000000-0000-4000-8000-000000000001\": 1 accepted, 0 duplicates, 0 scheduled
2026-01-01T00:00:00Z ada#1 loses 1 added \"00000000-0000-4000-8000-000000000001\"
2026-01-01T00:00:00Z key:shop pushes \"00000000-0000-4000-8000-000000000002\": 1 accepted, 0 duplicates, 0 scheduled
2026-01-01T00:00:00Z ada#1 receives 2 added \"00000000-0000-4000-8000-000000000002\"
2026-01-01T00:00:00Z ada#1 asks for changes after 0
2026-01-01T00:00:00Z hub advances the clock by 5s
2026-01-01T00:00:05Z ada#1 goes offline
2026-01-01T00:00:05Z ada#1 mark_all_opened, queued
2026-01-01T00:00:05Z ada#1 goes online
2026-01-01T00:00:05Z ada#1 asks for changes after 2
2026-01-01T00:00:05Z ada#1 receives 3 opened all through 2
2026-01-01T00:00:05Z ada#1 sends the queued op-1";
    assert_eq!(hub.trace().join("\n"), expected);
}
