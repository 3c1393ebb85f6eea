//! The conveniences and the delegation, over a service that records its calls.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, StreamExt};
use internal_notifications_models::{
    InboxNotification, InternalNotification, NotificationId, Position, Receipt, Timestamp, UserId,
};
use internal_notifications_service::{
    Announcement, BoxStream, InboxPublisher, InternalNotificationsService, InternalNotificationsServiceExt,
    ServiceError, ServiceErrorKind, Snapshot, Status, Written, async_trait,
};

#[derive(Clone)]
struct Recorder(Arc<(InboxPublisher, Mutex<Vec<String>>)>);

impl Recorder {
    fn new() -> Self {
        Self(Arc::new((InboxPublisher::new(4), Mutex::default())))
    }

    fn record(&self, call: impl Into<String>) {
        self.0.1.lock().unwrap().push(call.into());
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.1.lock().unwrap())
    }

    fn publish(&self, snapshot: Snapshot) {
        self.0.0.publish(snapshot, [Announcement::Skipped]);
    }
}

#[async_trait]
impl InternalNotificationsService for Recorder {
    async fn init(&self) -> Result<(), ServiceError> {
        self.record("init");
        Ok(())
    }

    async fn dispose(&self) {
        self.record("dispose");
        self.0.0.close();
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.record("subscribe");
        Ok(())
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.record("unsubscribe");
        Ok(())
    }

    async fn wake(&self) -> Result<(), ServiceError> {
        self.record("wake");
        Ok(())
    }

    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        self.record(format!("push {user_ids:?} {}", notification.content));
        Ok(Receipt::new(id("n")).with_accepted(user_ids.len() as u64))
    }

    fn snapshot(&self) -> Snapshot {
        self.record("snapshot");
        self.0.0.snapshot()
    }

    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.record("snapshots");
        self.0.0.snapshots()
    }

    fn announcements(&self) -> BoxStream<'static, Announcement> {
        self.record("announcements");
        self.0.0.announcements()
    }

    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.record(format!("mark_opened {ids:?}"));
        Ok(Written::Stored)
    }

    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.record(format!("mark_unopened {ids:?}"));
        Ok(Written::Queued)
    }

    async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
        self.record("mark_all_opened");
        Ok(Written::Stored)
    }

    async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError> {
        self.record(format!("remove {id:?}"));
        Ok(Written::Stored)
    }

    async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
        self.record(format!("load_older {count}"));
        Ok(())
    }
}

fn id(id: &str) -> NotificationId {
    id.parse().unwrap()
}

/// A live snapshot at a seq, with that many pending notifications.
fn live(seq: u64) -> Snapshot {
    let row = |added| {
        let notification = InternalNotification::new("c");
        let id = id(&format!("n{added}"));
        Arc::new(InboxNotification::new(id, notification, "key:t", Timestamp::UNIX_EPOCH, added))
    };
    let mut snapshot = Snapshot::new(Status::Live);
    snapshot.notifications = (1..=seq).rev().map(row).collect();
    snapshot.pending = seq;
    snapshot.position = Position { seq, tag: None };
    snapshot
}

/// Calls every method, and returns what came back.
async fn call_all(service: impl InternalNotificationsService) -> Vec<String> {
    let user: UserId = "ada".parse().unwrap();
    let notification = InternalNotification::new("c");
    vec![
        format!("{:?}", service.init().await),
        format!("{:?}", service.subscribe().await),
        format!("{:?}", service.unsubscribe().await),
        format!("{:?}", service.wake().await),
        format!("{:?}", service.push(&[user], notification).await.map(|receipt| receipt.accepted)),
        format!("{:?}", service.snapshot().pending),
        format!("{:?}", service.snapshots().next().await.map(|snapshot| snapshot.pending)),
        format!("{:?}", service.announcements().next().now_or_never()),
        format!("{:?}", service.mark_opened(&[id("a")]).await),
        format!("{:?}", service.mark_unopened(&[id("b")]).await),
        format!("{:?}", service.mark_all_opened().await),
        format!("{:?}", service.remove(&id("c")).await),
        format!("{:?}", service.load_older(7).await),
        format!("{:?}", service.dispose().await),
    ]
}

#[test]
fn pointers_forward_every_call() {
    let called = |service: &dyn Fn(Recorder) -> Arc<dyn InternalNotificationsService>| {
        let recorder = Recorder::new();
        recorder.publish(live(3));
        let results = call_all(service(recorder.clone())).now_or_never().unwrap();
        (results, recorder.calls())
    };
    let recorder = Recorder::new();
    recorder.publish(live(3));
    let direct = (call_all(recorder.clone()).now_or_never().unwrap(), recorder.calls());
    assert_eq!(direct.1.len(), 14);
    assert_eq!(called(&|recorder| Arc::new(recorder)), direct);
    assert_eq!(
        called(&|recorder| {
            let boxed: Box<dyn InternalNotificationsService> = Box::new(recorder);
            Arc::new(boxed)
        }),
        direct
    );
}

#[test]
fn push_to_takes_texts_as_user_ids() {
    let recorder = Recorder::new();
    let push = |users: &[&str]| {
        let users: Vec<_> = users.iter().map(|user| (*user).to_owned()).collect();
        recorder.push_to(users, InternalNotification::new("c")).now_or_never().unwrap()
    };
    assert_eq!(push(&["ada", "bob"]).unwrap().accepted, 2);
    assert_eq!(recorder.calls(), [r#"push ["ada", "bob"] c"#]);
    assert_eq!(push(&["ada", "b b"]).unwrap_err().kind(), ServiceErrorKind::Invalid);
    assert_eq!(recorder.calls(), [""; 0]);
    let users: [UserId; 1] = ["ada".parse().unwrap()];
    let to_ids = recorder.push_to(users, InternalNotification::new("c")).now_or_never().unwrap();
    assert_eq!(to_ids.unwrap().accepted, 1);
}

#[test]
fn list_and_count_are_streams_of_their_own() {
    let recorder = Recorder::new();
    recorder.publish(live(2));
    let (mut lists, mut counts) = (recorder.notifications(), recorder.pending());
    assert_eq!(lists.next().now_or_never().flatten().unwrap().len(), 2);
    assert_eq!(counts.next().now_or_never().flatten(), Some(2));
    recorder.publish(live(3));
    assert_eq!(lists.next().now_or_never().flatten().unwrap().len(), 3);
    assert_eq!(counts.next().now_or_never().flatten(), Some(3));
}

#[test]
fn waiting_returns_the_first_snapshot_that_fits() {
    let recorder = Recorder::new();
    let mut waiting = Box::pin(recorder.wait_until(3));
    assert_eq!(waiting.as_mut().now_or_never(), None);
    recorder.publish(live(2));
    assert_eq!(waiting.as_mut().now_or_never(), None);
    recorder.publish(live(3));
    assert_eq!(waiting.now_or_never(), Some(Some(live(3))));
    assert_eq!(recorder.wait_until(2).now_or_never(), Some(Some(live(3))));
}

#[test]
fn waiting_ends_with_dispose_without_the_snapshot_that_it_leaves() {
    let recorder = Recorder::new();
    recorder.publish(live(2));
    let is_empty = |snapshot: &Snapshot| snapshot.notifications.is_empty();
    let mut waiting = Box::pin(recorder.wait_for(is_empty));
    assert_eq!(waiting.as_mut().now_or_never(), None);
    recorder.dispose().now_or_never().unwrap();
    assert_eq!(waiting.now_or_never(), Some(None));
}

#[test]
fn an_idle_snapshot_before_the_first_user_may_fit() {
    let recorder = Recorder::new();
    let idle = recorder.wait_for(|snapshot| snapshot.status == Status::Idle).now_or_never();
    assert_eq!(idle, Some(Some(Snapshot::default())));
}
