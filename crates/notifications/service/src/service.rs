use async_trait::async_trait;
use futures_core::stream::BoxStream;
use internal_notifications_models::{InternalNotification, NotificationId, Receipt, UserId};

use crate::{Announcement, ServiceError, Snapshot};

/// A user's inbox in an app: what every service must do.
///
/// Lifecycle calls are idempotent. `init` asks for the identity, gets the inbox and subscribes; `unsubscribe` stops live events and keeps
/// the state; `subscribe` resumes with a catch-up; `dispose` forgets the user, and `init` after it may bring another one.
///
/// There are no default methods: a wrapper that forgets one does not compile.
#[async_trait]
pub trait InternalNotificationsService: Send + Sync {
    /// Starts the service for its user and returns once the first snapshot is there. A second call does nothing.
    ///
    /// # Errors
    /// When the identity is refused, the configuration cannot work, or the inbox cannot be reached; the service is idle then.
    async fn init(&self) -> Result<(), ServiceError>;

    /// Ends everything and forgets the user. Streams end. A second call does nothing.
    async fn dispose(&self);

    /// Resumes live events after [`unsubscribe`](Self::unsubscribe), with a catch-up. Does nothing when subscribed.
    ///
    /// # Errors
    /// Before `init` and after `dispose`.
    async fn subscribe(&self) -> Result<(), ServiceError>;

    /// Stops live events and keeps the state. Does nothing when not subscribed.
    ///
    /// # Errors
    /// Before `init` and after `dispose`.
    async fn unsubscribe(&self) -> Result<(), ServiceError>;

    /// Pushes a notification to users, through the server: when this returns, it is stored.
    ///
    /// # Errors
    /// What the server refuses, and that it cannot be reached. A push with an id may be repeated without harm.
    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError>;

    /// The inbox now.
    fn snapshot(&self) -> Snapshot;

    /// The inbox now, and whenever it changes. A slow reader gets the newest, not each.
    fn snapshots(&self) -> BoxStream<'static, Snapshot>;

    /// What comes from now on. A slow reader gets [`Announcement::Skipped`] for what it missed.
    fn announcements(&self) -> BoxStream<'static, Announcement>;

    /// Marks notifications opened, on all of the user's devices. Unknown and opened ones are skipped. When this returns, the snapshot
    /// shows it.
    ///
    /// # Errors
    /// What the server refuses, and that it cannot be reached.
    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<(), ServiceError>;

    /// Marks notifications pending again. Unknown and pending ones are skipped.
    ///
    /// # Errors
    /// As [`mark_opened`](Self::mark_opened).
    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<(), ServiceError>;

    /// Marks everything opened that this replica has seen, and nothing that came since.
    ///
    /// # Errors
    /// As [`mark_opened`](Self::mark_opened).
    async fn mark_all_opened(&self) -> Result<(), ServiceError>;

    /// Removes a notification from the inbox, on all of the user's devices.
    ///
    /// # Errors
    /// As [`mark_opened`](Self::mark_opened), and when there is no such notification.
    async fn remove(&self, id: &NotificationId) -> Result<(), ServiceError>;
}
