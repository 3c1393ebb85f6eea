use futures_util::FutureExt;
use internal_notifications_mock::{MockHub, OfflinePush};
use internal_notifications_service::{InternalNotificationsService, ServiceErrorKind, Status, Written};

use super::{UUID, announced, id, kind, live, note, now, shown, user};

#[test]
fn missed_notifications_are_caught_up_and_announced_once_in_order() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    ada.go_offline();
    assert!(matches!(ada.snapshot().status, Status::Offline(_)));
    for n in ["a", "b", "c"] {
        hub.push_as_backend("shop", ["ada"], note(n)).unwrap();
    }
    assert_eq!(announced(&mut announcements), Vec::<String>::new());
    ada.go_online();
    ada.go_online();
    assert_eq!(shown(&ada), ["c", "b", "a"]);
    assert_eq!(announced(&mut announcements), ["a", "b", "c"]);
    assert_eq!(ada.snapshot().status, Status::Live);
}

#[test]
fn a_queued_write_is_shown_at_once_and_stored_later() {
    let hub = MockHub::new();
    for n in ["a", "b", "c"] {
        hub.push_as_backend("shop", ["ada"], note(n)).unwrap();
    }
    let ada = live(hub.service("ada"));
    let other = live(hub.service("ada"));
    ada.go_offline();
    assert_eq!(now(ada.remove(&id("a"))), Ok(Written::Queued));
    assert_eq!(now(ada.mark_all_opened()), Ok(Written::Queued));
    assert_eq!(now(ada.mark_unopened(&[id("b")])), Ok(Written::Queued));
    hub.push_as_backend("shop", ["ada"], note("d")).unwrap();
    assert_eq!(shown(&ada), ["c✓", "b"]);
    assert_eq!((ada.snapshot().pending, ada.snapshot().unconfirmed), (3, 3));
    assert_eq!(shown(&other), ["d", "c", "b", "a"]);
    ada.go_online();
    for service in [&ada, &other] {
        assert_eq!(shown(service), ["d", "c✓", "b"]);
        assert_eq!((service.snapshot().pending, service.snapshot().unconfirmed), (2, 0));
    }
}

#[test]
fn a_refused_queued_write_is_rolled_back_and_announced() {
    let hub = MockHub::new();
    for n in ["a", "b"] {
        hub.push_as_backend("shop", ["ada"], note(n)).unwrap();
    }
    let ada = live(hub.service("ada"));
    let other = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    ada.go_offline();
    now(ada.remove(&id("a"))).unwrap();
    now(ada.mark_opened(&[id("b")])).unwrap();
    now(other.remove(&id("a"))).unwrap();
    ada.go_online();
    assert_eq!(announced(&mut announcements), ["refused Unknown"]);
    assert_eq!((shown(&ada), ada.snapshot().unconfirmed), (vec!["b✓".into()], 0));

    ada.go_offline();
    now(ada.mark_unopened(&[id("b")])).unwrap();
    ada.refuse_next_queued_write(ServiceErrorKind::Forbidden);
    assert_eq!(shown(&ada), ["b"]);
    ada.go_online();
    assert_eq!(announced(&mut announcements), ["refused Forbidden"]);
    assert_eq!((shown(&ada), ada.snapshot().pending), (vec!["b✓".into()], 0));
}

#[test]
fn a_queued_mark_all_of_a_lost_history_is_refused() {
    let hub = MockHub::new();
    let backup = hub.backup();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    ada.go_offline();
    now(ada.mark_all_opened()).unwrap();
    hub.restore(&backup);
    hub.push_as_backend("shop", ["ada"], note("unseen")).unwrap();
    ada.go_online();
    assert_eq!(announced(&mut announcements), ["unseen", "refused Conflict"]);
    assert_eq!((shown(&ada), ada.snapshot().pending), (vec!["unseen".into()], 1));
}

#[test]
fn the_queue_of_writes_is_bounded() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = live(hub.service_builder("ada").write_queue(2).build());
    ada.go_offline();
    for _ in 0..2 {
        assert_eq!(now(ada.mark_opened(&[id("a")])), Ok(Written::Queued));
    }
    assert_eq!(kind(now(ada.mark_unopened(&[id("a")]))), ServiceErrorKind::QueueFull);
    assert_eq!((shown(&ada), ada.snapshot().unconfirmed), (vec!["a✓".into()], 2));
    assert_eq!(now(ada.mark_opened(&[])), Ok(Written::Stored));
}

#[test]
fn a_push_without_a_connection_fails_and_is_not_sent_later() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    ada.go_offline();
    assert_eq!(kind(now(ada.push(&[user("bob")], note(UUID)))), ServiceErrorKind::Unavailable);
    assert_eq!(kind(now(ada.push(&[], note(UUID)))), ServiceErrorKind::Invalid);
    ada.go_online();
    assert!(hub.pushes().is_empty());
}

#[test]
fn a_push_can_wait_for_the_connection() {
    let hub = MockHub::new();
    let ada = live(hub.service_builder("ada").offline_push(OfflinePush::Wait).build());
    let bob = live(hub.service("bob"));
    ada.go_offline();
    let to = [user("bob")];
    let mut push = ada.push(&to, note(UUID));
    assert!((&mut push).now_or_never().is_none());
    assert!(ada.push(&to, note("dropped")).now_or_never().is_none());
    bob.go_offline();
    assert!((&mut push).now_or_never().is_none());
    ada.go_online();
    assert_eq!(now(push).unwrap().accepted, 1);
    bob.go_online();
    assert_eq!(shown(&bob), [UUID]);
}

#[test]
fn a_waiting_push_ends_with_dispose() {
    let hub = MockHub::new();
    let ada = live(hub.service_builder("ada").offline_push(OfflinePush::Wait).build());
    let to = [user("bob")];
    ada.go_offline();
    let mut push = ada.push(&to, note(UUID));
    assert!((&mut push).now_or_never().is_none());
    now(ada.dispose());
    ada.go_online();
    now(ada.init()).unwrap();
    assert_eq!(kind(now(push)), ServiceErrorKind::NotInitialized);
    assert!(hub.pushes().is_empty());
}
