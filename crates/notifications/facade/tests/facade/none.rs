//! The service `none`, where the contract needs an inbox. The numbers are the contract's;
//! `contract.rs` tests the rest of it.

use futures_util::{FutureExt, StreamExt};
use internal_notifications::{
    InternalNotification, InternalNotifications, NotificationId, ServiceError, ServiceErrorKind, ServiceKind,
    Snapshot, Status, UserId, Written,
};

use crate::support::builder;

fn none() -> InternalNotifications {
    builder().service(ServiceKind::None).build().unwrap()
}

fn ada() -> UserId {
    "ada".parse().unwrap()
}

fn id() -> NotificationId {
    "n".parse().unwrap()
}

async fn push(service: &InternalNotifications) -> ServiceErrorKind {
    service.push(&[ada()], InternalNotification::new("Hello")).await.unwrap_err().kind()
}

/// Returns the outcomes of every call except `init` and `dispose`.
async fn calls(service: &InternalNotifications) -> Vec<Result<(), ServiceError>> {
    vec![
        service.subscribe().await,
        service.unsubscribe().await,
        service.mark_opened(&[id()]).await.map(drop),
        service.mark_unopened(&[id()]).await.map(drop),
        service.mark_all_opened().await.map(drop),
        service.load_older(5).await,
        service.remove(&id()).await.map(drop),
        service.push(&[ada()], InternalNotification::new("Hello")).await.map(drop),
    ]
}

/// 1, 5.
#[tokio::test]
async fn before_init_and_after_dispose_it_is_idle_and_calls_fail() {
    let service = none();
    service.dispose().await;
    for _ in 0..2 {
        assert_eq!(service.snapshot(), Snapshot::default());
        assert_eq!(service.snapshots().next().await, Some(Snapshot::default()));
        for outcome in calls(&service).await {
            assert_eq!(outcome.unwrap_err().kind(), ServiceErrorKind::NotInitialized);
        }
        service.init().await.unwrap();
        service.dispose().await;
        service.dispose().await;
    }
}

/// 2, 3, 6.
#[tokio::test]
async fn after_init_the_status_is_disabled() {
    let service = none();
    for _ in 0..2 {
        service.init().await.unwrap();
        service.init().await.unwrap();
        let disabled = Snapshot::new(Status::Disabled);
        assert_eq!(service.snapshot(), disabled);
        service.dispose().await;
    }
}

/// 7, 8, 11, 12, 13, 15: only `remove` fails, since the notification is unknown.
#[tokio::test]
async fn calls_find_an_empty_inbox_and_keep_the_status() {
    let service = none();
    service.init().await.unwrap();
    let mut outcomes = calls(&service).await;
    let refused: Vec<_> =
        outcomes.split_off(6).into_iter().map(|outcome| outcome.unwrap_err().kind()).collect();
    assert_eq!(refused, [ServiceErrorKind::Unknown, ServiceErrorKind::Disabled]);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(service.mark_all_opened().await, Ok(Written::Stored));
    assert_eq!(service.snapshot().status, Status::Disabled);
}

/// 16.
#[tokio::test]
async fn snapshots_yield_the_current_one_first_and_then_only_changes() {
    let service = none();
    let mut early = service.snapshots();
    assert_eq!(early.next().await.unwrap().status, Status::Idle);
    service.init().await.unwrap();
    service.init().await.unwrap();
    assert_eq!(early.next().await.unwrap().status, Status::Disabled);
    assert!(early.next().now_or_never().is_none());
    assert_eq!(service.snapshots().next().await.unwrap().status, Status::Disabled);
}

/// 17, 19.
#[tokio::test]
async fn streams_are_silent_and_end_with_dispose() {
    let service = none();
    let mut before = service.announcements();
    service.init().await.unwrap();
    let (mut announcements, mut snapshots) = (service.announcements(), service.snapshots());
    drop(service.announcements());
    assert_eq!(snapshots.next().await.unwrap().status, Status::Disabled);
    assert!(before.next().now_or_never().is_none());
    assert!(announcements.next().now_or_never().is_none());
    assert!(snapshots.next().now_or_never().is_none());
    let waiting = service.wait_until(1);
    let other = service.clone();
    let (found, ()) = tokio::join!(waiting, async move { other.dispose().await });
    assert_eq!(found, None);
    assert_eq!((before.next().await, announcements.next().await), (None, None));
    assert_eq!(snapshots.next().await, Some(Snapshot::default()));
    assert_eq!(snapshots.next().await, None);
}

/// 20, 26.
#[tokio::test]
async fn a_push_fails_because_notifications_are_switched_off() {
    let service = none();
    service.init().await.unwrap();
    assert_eq!(push(&service).await, ServiceErrorKind::Disabled);
    let error = service.push([""; 0], InternalNotification::new("")).await.unwrap_err();
    assert_eq!(error.to_string(), "notifications are switched off: the service is none");
    assert!(!error.is_retryable());
}

/// 27.
#[tokio::test]
async fn a_dropped_call_does_not_affect_later_ones() {
    let service = none();
    drop(service.init());
    assert_eq!(push(&service).await, ServiceErrorKind::NotInitialized);
    service.init().await.unwrap();
    drop(service.dispose());
    assert_eq!(push(&service).await, ServiceErrorKind::Disabled);
}
