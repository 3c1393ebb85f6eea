use std::time::Duration;

use internal_notifications_mock::MockHub;
use internal_notifications_mock::models::InternalNotification;
use internal_notifications_service::InternalNotificationsService;

use super::{announced, id, live, note, now, shown};

#[test]
fn a_gap_is_detected_at_the_next_event() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    ada.drop_next_events(2);
    for n in ["a", "b"] {
        hub.push_as_backend("shop", ["ada"], note(n)).unwrap();
    }
    assert_eq!((shown(&ada), announced(&mut announcements)), (vec![], vec![]));
    hub.push_as_backend("shop", ["ada"], note("c")).unwrap();
    assert_eq!(shown(&ada), ["c", "b", "a"]);
    assert_eq!(announced(&mut announcements), ["a", "b", "c"]);
}

#[test]
fn a_lost_last_event_is_detected_by_the_position_check() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    ada.drop_next_events(1);
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    assert_eq!(ada.snapshot().pending, 0);
    ada.check_position();
    assert_eq!((shown(&ada), ada.snapshot().pending), (vec!["a".into()], 1));
}

#[test]
fn the_position_is_checked_after_its_interval() {
    let hub = MockHub::new();
    let ada = live(hub.service_builder("ada").position_check(Duration::from_secs(30)).build());
    ada.drop_next_events(1);
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    hub.clock().advance(Duration::from_secs(29));
    assert!(shown(&ada).is_empty());
    hub.clock().advance(Duration::from_secs(1));
    assert_eq!(shown(&ada), ["a"]);
}

#[test]
fn a_duplicate_event_is_applied_once() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    ada.duplicate_next_event();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    assert_eq!((shown(&ada), ada.snapshot().pending), (vec!["a".into()], 1));
    assert_eq!(announced(&mut announcements), ["a"]);
    assert!(hub.trace().iter().any(|line| line.ends_with("ada#1 receives twice 1 added \"a\"")));
}

#[test]
fn a_lost_event_of_the_devices_own_write_does_no_harm() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = live(hub.service("ada"));
    ada.drop_next_events(1);
    now(ada.mark_opened(&[id("a")])).unwrap();
    assert_eq!((shown(&ada), ada.snapshot().pending), (vec!["a✓".into()], 0));
}

#[test]
fn a_notification_too_large_for_an_event_is_fetched() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    let long = InternalNotification::new("c".repeat(20_000)).with_id(id("long"));
    hub.push_as_backend("shop", ["ada"], long).unwrap();
    assert_eq!(shown(&ada), ["long"]);
    assert_eq!(announced(&mut announcements), ["long"]);
    assert!(hub.trace().iter().any(|line| line.ends_with("ada#1 receives 1 (thin)")));
}

#[test]
fn a_restored_backup_is_detected_at_the_next_event() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let backup = hub.backup();
    hub.push_as_backend("shop", ["ada"], note("lost")).unwrap();
    let mut announcements = ada.announcements();
    hub.restore(&backup);
    assert_eq!(shown(&ada), ["lost", "a"]);
    hub.push_as_backend("shop", ["ada"], note("b")).unwrap();
    assert_eq!((shown(&ada), ada.snapshot().pending), (vec!["b".into(), "a".into()], 2));
    assert_eq!(announced(&mut announcements), ["b"]);
}

#[test]
fn a_device_behind_a_trimmed_log_gets_a_snapshot() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    ada.go_offline();
    for n in ["a", "b"] {
        hub.push_as_backend("shop", ["ada"], note(n)).unwrap();
    }
    hub.trim();
    ada.go_online();
    assert_eq!(shown(&ada), ["b", "a"]);
    assert_eq!(announced(&mut announcements), ["a", "b"]);
}

#[test]
fn the_list_is_bounded_and_load_older_extends_it() {
    let hub = MockHub::new();
    let names: Vec<String> = (0..7).map(|n| format!("n{n}")).collect();
    for name in &names {
        hub.push_as_backend("shop", ["ada"], note(name)).unwrap();
    }
    let ada = live(hub.service_builder("ada").window(2).max_window(5).build());
    assert_eq!((shown(&ada), ada.snapshot().pending), (vec!["n6".into(), "n5".into()], 7));
    now(ada.load_older(2)).unwrap();
    assert_eq!((shown(&ada).len(), ada.snapshot().has_older), (4, true));
    now(ada.load_older(2)).unwrap();
    assert_eq!(shown(&ada), ["n6", "n5", "n4", "n3", "n2"]);
    let full = now(ada.load_older(1)).unwrap_err();
    assert_eq!(full.kind(), internal_notifications_service::ServiceErrorKind::WindowFull);
    now(ada.remove(&id("n6"))).unwrap();
    assert_eq!(shown(&ada), ["n5", "n4", "n3", "n2", "n1"]);
}

#[test]
fn load_older_does_not_extend_a_complete_list() {
    let hub = MockHub::new();
    for n in ["a", "b"] {
        hub.push_as_backend("shop", ["ada"], note(n)).unwrap();
    }
    let ada = live(hub.service_builder("ada").window(2).max_window(5).build());
    now(ada.load_older(1)).unwrap();
    for _ in 0..5 {
        now(ada.load_older(1)).unwrap();
    }
    ada.go_offline();
    now(ada.load_older(1)).unwrap();
    ada.go_online();
    for n in ["c", "d", "e"] {
        hub.push_as_backend("shop", ["ada"], note(n)).unwrap();
    }
    assert_eq!(shown(&ada), ["e", "d"]);
}

#[test]
fn init_returns_with_the_whole_window() {
    let hub = MockHub::new();
    for n in 0..450 {
        hub.push_as_backend("shop", ["ada"], note(&format!("n{n}"))).unwrap();
    }
    let ada = live(hub.service_builder("ada").window(430).build());
    assert_eq!(shown(&ada).len(), 430);
}

#[test]
fn the_answer_to_a_refused_write_has_the_hubs_position() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let backup = hub.backup();
    hub.push_as_backend("shop", ["ada"], note("lost")).unwrap();
    hub.restore(&backup);
    assert_eq!(shown(&ada), ["lost"]);
    now(ada.remove(&id("lost"))).unwrap_err();
    assert_eq!((shown(&ada), ada.snapshot().pending), (vec![], 0));
}
