use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::future::{Either, select};
use internal_notifications_mock::MockService;
use internal_notifications_models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_pusher::Identity;
use internal_notifications_service::{
    Announcement, InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot, Status, Written,
};
use tokio::sync::{Mutex, watch};

/// A mock that asks who its user is, at each `init`.
pub(crate) struct IdentifiedMock {
    mock: MockService,
    identity: Arc<dyn Identity>,
    /// Held while it starts or ends.
    lifecycle: Mutex<()>,
    /// How many calls want it to end.
    ending: watch::Sender<usize>,
}

impl IdentifiedMock {
    pub(crate) fn new(mock: MockService, identity: Arc<dyn Identity>) -> Self {
        Self { mock, identity, lifecycle: Mutex::default(), ending: watch::Sender::default() }
    }

    /// The user, unless it is disposed meanwhile: an identity may take its time.
    async fn user(&self) -> Result<UserId, ServiceError> {
        let mut ending = self.ending.subscribe();
        let ended = pin!(ending.wait_for(|calls| *calls > 0));
        match select(ended, self.identity.identity(false)).await {
            Either::Left(_) => {
                Err(ServiceError::new(ServiceErrorKind::NotInitialized, "the service was disposed"))
            }
            Either::Right((credentials, _)) => Ok(credentials?.user_id().clone()),
        }
    }
}

/// A call that wants it to end, for as long as it lasts.
struct Ending<'a>(&'a watch::Sender<usize>);

impl<'a> Ending<'a> {
    fn new(calls: &'a watch::Sender<usize>) -> Self {
        calls.send_modify(|calls| *calls += 1);
        Self(calls)
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|calls| *calls -= 1);
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl InternalNotificationsService for IdentifiedMock {
    async fn init(&self) -> Result<(), ServiceError> {
        let _alone = self.lifecycle.lock().await;
        if self.mock.snapshot().status == Status::Idle {
            self.mock.set_user(self.user().await?);
        }
        self.mock.init().await
    }

    async fn dispose(&self) {
        let ending = Ending::new(&self.ending);
        let _alone = self.lifecycle.lock().await;
        // No `init` is before it any more, and one behind it is not to end.
        drop(ending);
        self.mock.dispose().await;
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.mock.subscribe().await
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.mock.unsubscribe().await
    }

    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        self.mock.push(user_ids, notification).await
    }

    fn snapshot(&self) -> Snapshot {
        self.mock.snapshot()
    }

    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.mock.snapshots()
    }

    fn announcements(&self) -> BoxStream<'static, Announcement> {
        self.mock.announcements()
    }

    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.mock.mark_opened(ids).await
    }

    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.mock.mark_unopened(ids).await
    }

    async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
        self.mock.mark_all_opened().await
    }

    async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError> {
        self.mock.remove(id).await
    }

    async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
        self.mock.load_older(count).await
    }
}
