use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use internal_notifications_models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_service::{
    Announcement, InternalNotificationsService, ServiceError, Snapshot, Written,
};

use crate::env::Env;
use crate::{InternalNotificationsBuilder, ServiceKind, known};

/// An app's notifications, whatever service is behind them: a handle, cheap to clone; clones are the same inbox. There is no global one.
///
/// What it does is the contract of [`InternalNotificationsService`]; [`InternalNotificationsServiceExt`] adds `wait_until` and other
/// conveniences. The service is chosen once, when the handle is built. It ends with `dispose`, or with the last clone.
///
/// **Switching the user**: `dispose`, then `init`, which asks the [identity](InternalNotificationsBuilder::identity) anew. Nothing of the one
/// user reaches the other: snapshots are empty in between, and streams that were taken before have ended.
///
/// [`InternalNotificationsServiceExt`]: crate::InternalNotificationsServiceExt
#[derive(Clone)]
pub struct InternalNotifications {
    kind: ServiceKind,
    service: Arc<dyn InternalNotificationsService>,
}

impl InternalNotifications {
    /// Sets up one from code; [`env`](InternalNotificationsBuilder::env) adds what the environment says.
    pub fn builder() -> InternalNotificationsBuilder {
        InternalNotificationsBuilder::new()
    }

    /// One that the environment of the process describes. A variable `INTERNAL_NOTIFICATIONS_…` that nothing reads is a warning in the log
    /// (`tracing`).
    ///
    /// # Errors
    /// As [`build`](InternalNotificationsBuilder::build) of the builder; they name the variable and what it may be.
    pub fn from_env() -> Result<Self, ServiceError> {
        known::warn_of_unknown();
        Self::builder().with_env(Env::of_process()).build()
    }

    /// As [`from_env`](Self::from_env), of another environment: a file's, or a test's.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_env_with(
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, ServiceError> {
        Self::builder().env(lookup).build()
    }

    pub(crate) fn new(kind: ServiceKind, service: Arc<dyn InternalNotificationsService>) -> Self {
        Self { kind, service }
    }

    /// Which service is behind it.
    pub fn kind(&self) -> ServiceKind {
        self.kind
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl InternalNotificationsService for InternalNotifications {
    async fn init(&self) -> Result<(), ServiceError> {
        self.service.init().await
    }

    async fn dispose(&self) {
        self.service.dispose().await;
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.service.subscribe().await
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.service.unsubscribe().await
    }

    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        self.service.push(user_ids, notification).await
    }

    fn snapshot(&self) -> Snapshot {
        self.service.snapshot()
    }

    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.service.snapshots()
    }

    fn announcements(&self) -> BoxStream<'static, Announcement> {
        self.service.announcements()
    }

    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.service.mark_opened(ids).await
    }

    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.service.mark_unopened(ids).await
    }

    async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
        self.service.mark_all_opened().await
    }

    async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError> {
        self.service.remove(id).await
    }

    async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
        self.service.load_older(count).await
    }
}

impl fmt::Debug for InternalNotifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InternalNotifications")
            .field("kind", &self.kind)
            .field("status", &self.snapshot().status)
            .finish_non_exhaustive()
    }
}
