use internal_notifications_mock::{Call, MockHub};
use internal_notifications_service::{InternalNotificationsService, ServiceErrorKind, Snapshot};

use super::{UUID, id, kind, live, note, now, shown, user};

#[test]
fn each_kind_of_call_can_fail_once() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = hub.service("ada");
    ada.fail_next(Call::Init, ServiceErrorKind::Unauthorized);
    assert_eq!(kind(now(ada.init())), ServiceErrorKind::Unauthorized);
    assert_eq!(ada.snapshot(), Snapshot::default());
    let ada = live(ada);

    ada.fail_next(Call::Push, ServiceErrorKind::Forbidden);
    ada.fail_next(Call::Write, ServiceErrorKind::Conflict);
    ada.fail_next(Call::LoadOlder, ServiceErrorKind::Unavailable);
    ada.fail_next(Call::Subscribe, ServiceErrorKind::Unavailable);
    let before = (ada.snapshot(), hub.inbox("ada"));
    assert_eq!(kind(now(ada.push(&[user("ada")], note(UUID)))), ServiceErrorKind::Forbidden);
    assert_eq!(kind(now(ada.mark_opened(&[id("a")]))), ServiceErrorKind::Conflict);
    assert_eq!(kind(now(ada.load_older(1))), ServiceErrorKind::Unavailable);
    assert_eq!(kind(now(ada.subscribe())), ServiceErrorKind::Unavailable);
    assert_eq!((ada.snapshot(), hub.inbox("ada")), before);

    now(ada.push(&[user("ada")], note(UUID))).unwrap();
    now(ada.mark_opened(&[id("a")])).unwrap();
    now(ada.load_older(1)).unwrap();
    now(ada.subscribe()).unwrap();
    assert_eq!(shown(&ada), [UUID, "a✓"]);
}

#[test]
fn removing_an_unknown_notification_fails_and_changes_nothing() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    assert_eq!(kind(now(ada.remove(&id("zzz")))), ServiceErrorKind::Unknown);
    assert_eq!((shown(&ada), ada.snapshot().unconfirmed), (vec!["a".into()], 0));
    assert_eq!(super::announced(&mut announcements), Vec::<String>::new());
}

#[test]
fn more_ids_than_fit_one_request_are_marked() {
    let hub = MockHub::new();
    let ids: Vec<_> = (0..1_201).map(|n| id(&format!("n{n}"))).collect();
    for id in &ids {
        hub.push_as_backend("shop", ["ada"], note(id.as_str())).unwrap();
    }
    let ada = live(hub.service("ada"));
    now(ada.mark_opened(&ids)).unwrap();
    assert_eq!((ada.snapshot().pending, ada.snapshot().position.seq), (0, 1_201 + 3));
}
