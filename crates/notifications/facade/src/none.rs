use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use internal_notifications_models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_service::{
    Announcement, InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot, Status, Written,
};
use tokio::sync::watch;

/// The service of an app whose notifications are switched off: it holds nothing, announces nothing, and lets the app run.
///
/// Of the contract it keeps what can be kept without an inbox. Its status is [`Status::Disabled`] from `init` to `dispose`, also after
/// `unsubscribe`; its `push` errs with [`ServiceErrorKind::Disabled`].
#[derive(Debug, Default)]
pub(crate) struct NoService(Mutex<watch::Sender<Snapshot>>);

impl NoService {
    /// What there is from one `dispose` to the next; its streams end with it.
    fn present(&self) -> MutexGuard<'_, watch::Sender<Snapshot>> {
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

    /// Every mark is of an id that is not there: it is skipped.
    fn skip(&self) -> Result<Written, ServiceError> {
        self.initialized().map(|()| Written::Stored)
    }
}

#[async_trait]
impl InternalNotificationsService for NoService {
    async fn init(&self) -> Result<(), ServiceError> {
        self.present().send_if_modified(|present| {
            let was_idle = present.status == Status::Idle;
            present.status = Status::Disabled;
            was_idle
        });
        Ok(())
    }

    async fn dispose(&self) {
        let mut present = self.present();
        if present.borrow().status != Status::Idle {
            *present = watch::Sender::default();
        }
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.initialized()
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.initialized()
    }

    async fn push(&self, _: &[UserId], _: InternalNotification) -> Result<Receipt, ServiceError> {
        self.initialized()?;
        let detail = "notifications are switched off: the service is none";
        Err(ServiceError::new(ServiceErrorKind::Disabled, detail))
    }

    fn snapshot(&self) -> Snapshot {
        self.present().borrow().clone()
    }

    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        let mut present = self.present().subscribe();
        present.mark_changed();
        stream::unfold(present, |mut present| async {
            present.changed().await.ok()?;
            let snapshot = present.borrow_and_update().clone();
            Some((snapshot, present))
        })
        .boxed()
    }

    fn announcements(&self) -> BoxStream<'static, Announcement> {
        let mut present = self.present().subscribe();
        stream::once(async move { while present.changed().await.is_ok() {} })
            .filter_map(|()| async { None })
            .boxed()
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
        Err(ServiceError::new(
            ServiceErrorKind::Unknown,
            "there is no such notification: the service is none",
        ))
    }

    async fn load_older(&self, _: usize) -> Result<(), ServiceError> {
        self.initialized()
    }
}
