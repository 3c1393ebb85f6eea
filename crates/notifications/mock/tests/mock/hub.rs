use std::thread;
use std::time::Duration;

use internal_notifications_mock::MockHub;
use internal_notifications_mock::models::{InternalNotification, Receipt};
use internal_notifications_service::{InternalNotificationsService, ServiceErrorKind};

use super::{UUID, announced, id, kind, live, note, now, shown, user};

#[test]
fn users_push_to_each_other_and_to_all_their_devices() {
    let hub = MockHub::new();
    let (ada, phone, laptop) = (live(hub.service("ada")), live(hub.service("bob")), live(hub.service("bob")));
    let receipt = now(ada.push(&[user("bob"), user("ada"), user("bob")], note(UUID))).unwrap();
    assert_eq!(receipt, Receipt::new(id(UUID)).with_accepted(2));
    now(phone.mark_opened(&[id(UUID)])).unwrap();
    for bobs in [&phone, &laptop] {
        assert_eq!((shown(bobs), bobs.snapshot().pending), (vec![format!("{UUID}✓")], 0));
    }
    assert_eq!(shown(&ada), [UUID]);
    assert_eq!(laptop.snapshot().notifications[0].sender, "user:ada");
}

#[test]
fn an_id_names_one_notification_of_the_hub() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let push = |who: &str, to: &[&str], what| hub.push_as_backend(who, to.iter().copied(), what);
    assert_eq!(push("shop", &["ada"], note(UUID)).unwrap().accepted, 1);
    assert_eq!(kind(push("shop", &["bob"], note(UUID).with_heading("h"))), ServiceErrorKind::Conflict);
    assert_eq!(kind(push("bank", &["bob"], note(UUID))), ServiceErrorKind::Conflict);
    assert_eq!(kind(now(ada.push(&[user("bob")], note(UUID)))), ServiceErrorKind::Conflict);
    assert!(hub.inbox("bob").notifications.is_empty());
    now(ada.remove(&id(UUID))).unwrap();
    let again = push("shop", &["ada", "bob"], note(UUID)).unwrap();
    assert_eq!((again.accepted, again.duplicates), (1, 1));
    assert!(shown(&ada).is_empty());
}

#[test]
fn a_user_pushes_under_a_uuid_and_takes_no_readable_id() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let refused = now(ada.push(&[user("bob")], note("order-1815-shipped"))).unwrap_err();
    assert_eq!(refused.kind(), ServiceErrorKind::Invalid);
    assert!(refused.to_string().contains("UUID"), "{refused}");
    assert!(hub.push_as_backend("shop", ["bob"], note("order-1815-shipped")).is_ok());
    let generated = now(ada.push(&[user("bob")], InternalNotification::new("c"))).unwrap().id;
    let again = now(ada.push(&[user("ada")], InternalNotification::new("c").with_id(generated)));
    assert_eq!(again.unwrap().accepted, 1);
}

#[test]
fn a_generated_id_skips_ids_that_are_taken() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("00000000-0000-4000-8000-000000000001")).unwrap();
    let counters = hub.push_as_backend("shop", ["ada"], InternalNotification::new("c")).unwrap();
    assert_eq!(counters.id, id("00000000-0000-4000-8000-000000000002"));
}

#[test]
fn an_invalid_push_is_rejected_as_by_a_server() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let later = hub.clock().now().checked_add(Duration::from_secs(1)).unwrap();
    let mut reserved = note("n");
    reserved.extra.insert("inbox".into(), 1.into());
    for notification in [
        note(".."),
        InternalNotification::new(""),
        InternalNotification::new("c".repeat(128 * 1024)),
        note("n").with_expires_at(hub.clock().now()),
        note("n").with_send_after(later).with_expires_at(later),
        reserved,
    ] {
        assert_eq!(kind(now(ada.push(&[user("ada")], notification.clone()))), ServiceErrorKind::Invalid);
        assert_eq!(kind(hub.push_as_backend("shop", ["ada"], notification)), ServiceErrorKind::Invalid);
    }
    assert_eq!(kind(hub.push_as_backend("shop", ["a b"], note("n"))), ServiceErrorKind::Invalid);
    assert_eq!(kind(hub.push_as_backend("shop", [""; 0], note("n"))), ServiceErrorKind::Invalid);
    let many: Vec<String> = (0..10_001).map(|n| format!("u{n}")).collect();
    assert_eq!(kind(hub.push_as_backend("shop", &many, note("n"))), ServiceErrorKind::Invalid);
    assert!(hub.pushes().is_empty() && shown(&ada).is_empty());
    assert!(hub.push_as_backend("shop", ["ada"], note("n").with_expires_at(later)).is_ok());
}

#[test]
fn stored_pushes_are_recorded() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    now(ada.push(&[user("bob")], note(UUID))).unwrap();
    hub.push_as_backend("shop", ["ada"], note("m")).unwrap();
    let pushes = hub.pushes();
    assert_eq!(pushes.len(), 2);
    assert_eq!((&*pushes[0].sender, &*pushes[0].user_ids), ("user:ada", &[user("bob")][..]));
    assert_eq!((&pushes[0].notification, pushes[0].receipt.accepted), (&note(UUID), 1));
    assert_eq!(pushes[1].sender, "key:shop");
}

#[test]
fn a_bare_notification_is_announced_and_not_stored() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    hub.trigger_bare("ada", InternalNotification::new("hello")).unwrap();
    assert_eq!(announced(&mut announcements), ["bare hello"]);
    assert!(shown(&ada).is_empty());
    assert_eq!(hub.inbox("ada").head.position.seq, 0);
}

#[test]
fn timestamps_come_from_the_hubs_clock() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    hub.push_as_backend("shop", ["ada"], note("n")).unwrap();
    hub.clock().advance(Duration::from_secs(90));
    now(ada.mark_opened(&[id("n")])).unwrap();
    let row = ada.snapshot().notifications[0].clone();
    assert_eq!(row.created_at.to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(row.opened_at.unwrap().to_string(), "2026-01-01T00:01:30Z");
    hub.clock().advance(Duration::MAX);
}

#[test]
fn services_that_push_to_each_other_from_threads_do_not_block() {
    let hub = MockHub::new();
    let users = ["ada", "bob"];
    let services = users.map(|name| live(hub.service(name)));
    thread::scope(|scope| {
        for (service, friend) in services.iter().zip(["bob", "ada"]) {
            scope.spawn(move || {
                for _ in 0..200 {
                    now(service.push(&[user(friend)], InternalNotification::new("c"))).unwrap();
                    now(service.mark_all_opened()).unwrap();
                    let _ = service.snapshot();
                }
            });
        }
    });
    for (service, name) in services.iter().zip(users) {
        assert_eq!(service.snapshot().position, hub.inbox(name).head.position);
    }
    assert_eq!(hub.pushes().len(), 400);
}
