use std::sync::{Mutex, MutexGuard, PoisonError};

use internal_notifications_models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_service::{
    Announcement, BoxStream, InboxPublisher, InternalNotificationsService, ServiceError, ServiceErrorKind,
    Snapshot, Status, Written, async_trait,
};

/// The service of an app whose notifications are switched off. Its inbox is empty.
///
/// It fulfils the part of the contract that needs no inbox. From `init` to `dispose` its status is
/// [`Status::Disabled`], even after `unsubscribe`, and `push` fails with
/// [`ServiceErrorKind::Disabled`].
#[derive(Debug)]
pub(crate) struct DisabledService(Mutex<InboxPublisher>);

impl DisabledService {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(InboxPublisher::new(1)))
    }

    fn publisher(&self) -> MutexGuard<'_, InboxPublisher> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn initialized(&self) -> Result<(), ServiceError> {
        match self.snapshot().status {
            Status::Disabled => Ok(()),
            _ => Err(ServiceError::new(
                ServiceErrorKind::NotInitialized,
                "the service is not initialized, or is disposed",
            )),
        }
    }

    /// Skips marks: in an empty inbox every id is unknown.
    fn skip(&self) -> Result<Written, ServiceError> {
        self.initialized().map(|()| Written::Stored)
    }
}

#[async_trait]
impl InternalNotificationsService for DisabledService {
    async fn init(&self) -> Result<(), ServiceError> {
        self.publisher().set_status(Status::Disabled);
        Ok(())
    }

    async fn dispose(&self) {
        let mut publisher = self.publisher();
        if publisher.snapshot().status != Status::Idle {
            publisher.restart();
        }
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.initialized()
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.initialized()
    }

    async fn wake(&self) -> Result<(), ServiceError> {
        self.initialized()
    }

    async fn push(&self, _: &[UserId], _: InternalNotification) -> Result<Receipt, ServiceError> {
        self.initialized()?;
        let message = "notifications are switched off: the service is none";
        Err(ServiceError::new(ServiceErrorKind::Disabled, message))
    }

    fn snapshot(&self) -> Snapshot {
        self.publisher().snapshot()
    }

    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.publisher().snapshots()
    }

    fn announcements(&self) -> BoxStream<'static, Announcement> {
        self.publisher().announcements()
    }

    async fn mark_opened(&self, _: &[NotificationId]) -> Result<Written, ServiceError> {
        self.skip()
    }

    async fn mark_unopened(&self, _: &[NotificationId]) -> Result<Written, ServiceError> {
        self.skip()
    }

    async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
        self.skip()
    }

    async fn remove(&self, _: &NotificationId) -> Result<Written, ServiceError> {
        self.initialized()?;
        let message = "there is no such notification: the service is none";
        Err(ServiceError::new(ServiceErrorKind::Unknown, message))
    }

    async fn load_older(&self, _: usize) -> Result<(), ServiceError> {
        self.initialized()
    }
}
