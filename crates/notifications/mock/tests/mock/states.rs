//! What an app must handle: slow calls, refused tokens, catch-ups that take their time.

use futures_util::FutureExt;
use internal_notifications_mock::{Call, MockHub};
use internal_notifications_service::{InternalNotificationsService, ServiceErrorKind, Status, Written};

use super::{announced, id, kind, live, note, now, shown};

#[test]
fn an_init_that_is_held_shows_that_it_starts() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = hub.service("ada");
    ada.hold(Call::Init);
    let mut init = ada.init();
    assert!((&mut init).now_or_never().is_none());
    assert_eq!(ada.snapshot().status, Status::Starting);
    drop(init);
    assert_eq!(ada.snapshot().status, Status::Idle);

    let mut init = ada.init();
    assert!((&mut init).now_or_never().is_none());
    ada.release(Call::Init);
    now(init).unwrap();
    assert_eq!((shown(&ada), ada.snapshot().status), (vec!["a".into()], Status::Live));
    ada.hold(Call::Init);
    assert!(ada.init().now_or_never().is_none());
    assert_eq!(ada.snapshot().status, Status::Live);
}

#[test]
fn a_call_that_is_held_has_no_effect_until_it_is_released() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = live(hub.service("ada"));
    ada.hold(Call::Write);
    let ids = [id("a")];
    let mut write = ada.mark_opened(&ids);
    assert!((&mut write).now_or_never().is_none());
    assert_eq!((shown(&ada), hub.inbox("ada").head.pending), (vec!["a".into()], 1));
    ada.release(Call::Write);
    assert_eq!(now(write), Ok(Written::Stored));
    assert_eq!(shown(&ada), ["a✓"]);

    for call in [Call::Subscribe, Call::Wake, Call::Push, Call::LoadOlder] {
        ada.hold(call);
    }
    assert!(ada.subscribe().now_or_never().is_none());
    assert!(ada.wake().now_or_never().is_none());
    assert!(ada.push(&["ada".parse().unwrap()], note("b")).now_or_never().is_none());
    assert!(ada.load_older(1).now_or_never().is_none());
    assert_eq!(hub.inbox("ada").head.pending, 0);
}

#[test]
fn dispose_ends_the_calls_that_are_held() {
    let hub = MockHub::new();
    let ada = hub.service("ada");
    ada.hold(Call::Init);
    let mut init = ada.init();
    assert!((&mut init).now_or_never().is_none());
    now(ada.dispose());
    assert_eq!(kind(now(init)), ServiceErrorKind::NotInitialized);
    assert_eq!(ada.snapshot().status, Status::Idle);

    ada.release(Call::Init);
    let ada = live(ada);
    ada.hold(Call::Write);
    let mut write = ada.mark_all_opened();
    assert!((&mut write).now_or_never().is_none());
    now(ada.dispose());
    assert_eq!(kind(now(write)), ServiceErrorKind::NotInitialized);
}

#[test]
fn a_refused_token_is_a_failure_that_keeps_what_waits() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = live(hub.service("ada"));
    let mut announcements = ada.announcements();
    ada.refuse_token();
    let status = ada.snapshot().status;
    assert!(matches!(&status, Status::Failed(error) if error.kind() == ServiceErrorKind::Unauthorized));
    hub.push_as_backend("shop", ["ada"], note("b")).unwrap();
    assert_eq!(now(ada.mark_opened(&[id("a")])), Ok(Written::Queued));
    assert_eq!((shown(&ada), hub.inbox("ada").head.pending), (vec!["a✓".into()], 2));
    let bob = ["bob".parse().unwrap()];
    let unnamed = internal_notifications_mock::models::InternalNotification::new("c");
    assert_eq!(kind(now(ada.push(&bob, unnamed))), ServiceErrorKind::Unauthorized);
    assert_eq!(announced(&mut announcements), [""; 0]);

    ada.accept_token();
    assert_eq!((shown(&ada), ada.snapshot().status), (vec!["b".into(), "a✓".into()], Status::Live));
    assert_eq!((announced(&mut announcements), hub.inbox("ada").head.pending), (vec!["b".into()], 1));

    let refused = hub.service("ada");
    refused.refuse_token();
    assert_eq!(kind(now(refused.init())), ServiceErrorKind::Unauthorized);
    assert_eq!(refused.snapshot().status, Status::Idle);
}

#[test]
fn a_catch_up_that_is_held_shows_and_keeps_back_what_happens() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = live(hub.service("ada"));
    ada.hold_catch_up();
    assert_eq!(ada.snapshot().status, Status::CatchingUp);
    hub.push_as_backend("shop", ["ada"], note("b")).unwrap();
    assert_eq!(shown(&ada), ["a"]);
    assert_eq!(now(ada.mark_opened(&[id("a")])), Ok(Written::Queued));
    assert_eq!((shown(&ada), ada.snapshot().unconfirmed), (vec!["a✓".into()], 1));
    assert_eq!(kind(now(ada.load_older(1))), ServiceErrorKind::Unavailable);
    ada.release_catch_up();
    assert_eq!((shown(&ada), ada.snapshot().status), (vec!["b".into(), "a✓".into()], Status::Live));
    assert_eq!((ada.snapshot().unconfirmed, ada.snapshot().pending), (0, 1));
}

#[test]
fn wake_finds_a_lost_event() {
    let hub = MockHub::new();
    let ada = live(hub.service("ada"));
    ada.drop_next_events(1);
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    assert_eq!(shown(&ada), [""; 0]);
    now(ada.wake()).unwrap();
    assert_eq!(shown(&ada), ["a"]);
    ada.fail_next(Call::Wake, ServiceErrorKind::Unavailable);
    assert_eq!(kind(now(ada.wake())), ServiceErrorKind::Unavailable);
}
