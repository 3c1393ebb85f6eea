use internal_notifications_mock::MockHub;
use internal_notifications_service::{
    InternalNotificationsService, ServiceErrorKind, Snapshot, Status, Written,
};

use super::{announced, id, kind, live, note, now, shown, take};

#[test]
fn an_invalid_user_fails_init() {
    let service = MockHub::new().service("no such user!");
    assert_eq!(kind(now(service.init())), ServiceErrorKind::Configuration);
    assert_eq!(service.snapshot(), Snapshot::default());
}

#[test]
fn init_without_a_connection_fails_and_works_later() {
    let hub = MockHub::new();
    hub.cut();
    let ada = hub.service("ada");
    assert_eq!(kind(now(ada.init())), ServiceErrorKind::Unavailable);
    assert_eq!(ada.snapshot().status, Status::Idle);
    hub.mend();
    assert_eq!(now(ada.init()), Ok(()));
    assert_eq!(ada.snapshot().status, Status::Live);
}

#[test]
fn calls_fail_before_init_and_after_dispose() {
    let ada = MockHub::new().service("ada");
    for _ in 0..2 {
        let kinds = [
            kind(now(ada.subscribe())),
            kind(now(ada.unsubscribe())),
            kind(now(ada.push(&["bob".parse().unwrap()], note("n")))),
            kind(now(ada.mark_opened(&[]))),
            kind(now(ada.mark_unopened(&[]))),
            kind(now(ada.mark_all_opened())),
            kind(now(ada.remove(&id("n")))),
            kind(now(ada.load_older(1))),
        ];
        assert_eq!(kinds, [ServiceErrorKind::NotInitialized; 8]);
        now(ada.init()).unwrap();
        now(ada.dispose());
    }
}

#[test]
fn a_paused_service_keeps_its_state_until_it_subscribes() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    now(ada.unsubscribe()).unwrap();
    for n in ["a", "b"] {
        hub.push_as_backend("shop", ["ada"], note(n)).unwrap();
    }
    hub.clock().advance(std::time::Duration::from_secs(3_600));
    ada.check_position();
    assert_eq!((shown(&ada), ada.snapshot().status), (vec![], Status::Paused));
    assert_eq!(kind(now(ada.load_older(1))), ServiceErrorKind::Unavailable);
    now(ada.subscribe()).unwrap();
    assert_eq!((shown(&ada), ada.snapshot().status), (vec!["b".into(), "a".into()], Status::Live));
    assert_eq!(announced(&mut announcements), ["a", "b"]);
}

#[test]
fn a_write_while_paused_is_stored_and_shown() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = live(hub.service("ada"));
    now(ada.unsubscribe()).unwrap();
    assert_eq!(now(ada.mark_opened(&[id("a")])), Ok(Written::Stored));
    assert_eq!((shown(&ada), hub.inbox("ada").head.pending), (vec!["a✓".into()], 0));
    now(ada.subscribe()).unwrap();
    assert_eq!((ada.snapshot().pending, ada.snapshot().unconfirmed), (0, 0));
}

#[test]
fn a_service_without_handles_leaves_the_hub_and_ends_its_streams() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    let clone = ada.clone();
    let mut announcements = ada.announcements();
    drop(ada);
    assert!(!take(&mut announcements).1);
    assert_eq!(format!("{hub:?}"), "MockHub { services: 1, .. }");
    drop(clone);
    assert!(take(&mut announcements).1);
    assert_eq!(format!("{hub:?}"), "MockHub { services: 0, .. }");
}

#[test]
fn ten_thousand_cycles_leave_nothing_behind() {
    let hub = MockHub::new();
    let keeper = hub.service("ada");
    for cycle in 0..10_000 {
        let user = ["ada", "bob"][cycle % 2];
        let service = live(hub.service(user));
        let mut streams = (service.snapshots(), service.announcements());
        now(service.dispose());
        assert!(take(&mut streams.0).1 && take(&mut streams.1).1);
        now(keeper.init()).unwrap();
        now(keeper.dispose());
    }
    assert_eq!(format!("{hub:?}"), "MockHub { services: 1, .. }");
    assert_eq!(hub.trace().len(), 10_000);
}

#[test]
fn the_next_user_sees_nothing_of_the_previous_one() {
    let hub = MockHub::new();
    let device = live(hub.service("ada"));
    let mut adas = device.announcements();
    hub.push_as_backend("shop", ["ada"], note("hers")).unwrap();
    device.set_user("bob");
    assert_eq!(shown(&device), ["hers"], "the inbox is ada's until dispose");
    now(device.dispose());
    let mut bobs = device.announcements();
    now(device.init()).unwrap();
    assert_eq!(device.snapshot().notifications.len(), 0);
    hub.push_as_backend("shop", ["ada"], note("hers too")).unwrap();
    hub.push_as_backend("shop", ["bob"], note("his")).unwrap();
    assert_eq!(shown(&device), ["his"]);
    assert_eq!((announced(&mut adas), announced(&mut bobs)), (vec![], vec!["his".to_owned()]));
    assert!(hub.trace().iter().any(|line| line.contains("bob#")), "{:#?}", hub.trace());
}
