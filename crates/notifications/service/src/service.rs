use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use internal_notifications_models::{InternalNotification, NotificationId, Receipt, UserId};

use crate::{Announcement, ServiceError, Snapshot, Written};

/// A user's inbox in an app: what every service must do.
///
/// The behaviour is the numbered contract below; `internal-notifications-testkit` has a test for each bullet, and any service can be put
/// through them from its own crate. There are no default methods: a wrapper that forgets one does not compile.
/// [`InternalNotificationsServiceExt`](crate::InternalNotificationsServiceExt) has conveniences.
///
/// # Contract
///
/// Lifecycle
///
/// 1. Before `init` the snapshot is empty and [`Idle`](crate::Status::Idle), and every call but `init` and `dispose` errs with
///    [`NotInitialized`](crate::ServiceErrorKind::NotInitialized).
/// 2. `init` returns once the first snapshot is there, and announces nothing of it.
/// 3. `init` of an initialized service does nothing; calls at the same time share one start.
/// 4. An `init` that fails leaves the service idle, and may be called again.
/// 5. `dispose` forgets the user: the snapshot is empty and idle, calls err as before `init`, a second `dispose` does nothing.
///    Writes that wait for a connection (23) are dropped, and are not stored later.
/// 6. `init` after `dispose` works. Nothing that came before is announced again, and nothing is lost.
/// 7. `unsubscribe` keeps the state and stops live events ([`Paused`](crate::Status::Paused)); a second one does nothing.
/// 8. `subscribe` resumes with a catch-up: what came meanwhile is there, each announced once, in order. When subscribed it does nothing.
///
/// State
///
/// 9. A push to the user is added to list and count, once, newest first. List, count and position of a snapshot belong to one moment.
/// 10. A push with an id that the user has, or had and removed, changes nothing; its receipt says duplicate.
/// 11. `mark_opened` and `mark_unopened` show in list and count; unknown ids and those that are so already are skipped.
/// 12. `mark_all_opened` opens everything that this replica has seen, also what is older than the list, and nothing that came since.
/// 13. `remove` takes a notification out of list and count; one that is not there errs with [`Unknown`](crate::ServiceErrorKind::Unknown).
/// 14. What one device of a user does, the user's other devices show; other users' inboxes are untouched.
/// 15. The list is bounded, the count is not: the list holds the newest, and `load_older` adds older ones until all are there.
///
/// Streams
///
/// 16. `snapshots` yields the present one first, then the newest whenever it has changed; a slow reader misses what is between, never the last.
/// 17. `announcements` yields what comes from now on: each notification once, in order, none that is opened already when it is told.
/// 18. A reader of `announcements` that is too slow gets [`Skipped`](crate::Announcement::Skipped) in place of what it missed, and holds up nobody.
/// 19. Streams end with `dispose`, and yield nothing of the user after it. Dropping one changes nothing.
///
/// Push
///
/// 20. `push` returns when the notification is stored, with a receipt that counts each recipient once.
/// 21. A notification that must not be pushed errs with [`Invalid`](crate::ServiceErrorKind::Invalid), one whose id belongs to another with
///     [`Conflict`](crate::ServiceErrorKind::Conflict); no inbox changes.
///
/// Offline
///
/// 22. Without a connection the state stays, and the status says so. What came meanwhile is caught up when it is back, each announced once, in order.
/// 23. A write without a connection is [`Queued`](crate::Written::Queued): shown at once in the list, not in the count, and stored when the connection is back.
/// 24. A queued write that is refused is rolled back, and [`WriteRefused`](crate::Announcement::WriteRefused) says so.
/// 25. The queue is bounded: a write too many errs with [`QueueFull`](crate::ServiceErrorKind::QueueFull), and is not shown.
/// 26. A push without a connection errs with [`Unavailable`](crate::ServiceErrorKind::Unavailable), or waits, as the service was built; it is never dropped silently.
///     One that waits when the service is disposed errs as before `init`, and is not stored later.
///
/// Cancelling
///
/// 27. A call whose future is dropped has happened once or not at all, and the service goes on.
#[async_trait]
pub trait InternalNotificationsService: Send + Sync {
    /// Starts the service for its user (contract 2, 3, 4, 6).
    ///
    /// # Errors
    /// When the identity is refused, the configuration cannot work, or the inbox cannot be reached.
    async fn init(&self) -> Result<(), ServiceError>;

    /// Ends everything and forgets the user (5, 19).
    async fn dispose(&self);

    /// Resumes live events after [`unsubscribe`](Self::unsubscribe) (8).
    ///
    /// # Errors
    /// Before `init` and after `dispose`.
    async fn subscribe(&self) -> Result<(), ServiceError>;

    /// Stops live events and keeps the state (7).
    ///
    /// # Errors
    /// Before `init` and after `dispose`.
    async fn unsubscribe(&self) -> Result<(), ServiceError>;

    /// Pushes a notification to users (20, 21, 26).
    ///
    /// # Errors
    /// What the server refuses, and that it cannot be reached. A push with an id may be repeated without harm.
    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError>;

    /// The inbox now (9).
    fn snapshot(&self) -> Snapshot;

    /// The inbox now, and whenever it changes (16, 19).
    fn snapshots(&self) -> BoxStream<'static, Snapshot>;

    /// What comes from now on (17, 18, 19).
    fn announcements(&self) -> BoxStream<'static, Announcement>;

    /// Marks notifications opened, on all of the user's devices (11, 23). When this returns, the snapshot shows it.
    ///
    /// # Errors
    /// What the server refuses, and a full queue.
    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError>;

    /// Marks notifications pending again (11, 23).
    ///
    /// # Errors
    /// As [`mark_opened`](Self::mark_opened).
    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError>;

    /// Marks everything opened that this replica has seen (12, 23).
    ///
    /// # Errors
    /// As [`mark_opened`](Self::mark_opened), and [`Conflict`](crate::ServiceErrorKind::Conflict) when the server's history is another than the one seen.
    async fn mark_all_opened(&self) -> Result<Written, ServiceError>;

    /// Removes a notification from the inbox, on all of the user's devices (13, 23).
    ///
    /// # Errors
    /// As [`mark_opened`](Self::mark_opened), and [`Unknown`](crate::ServiceErrorKind::Unknown).
    async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError>;

    /// Holds `count` more notifications in the list, older ones (15). Returns when they are there, or when there are no more.
    ///
    /// # Errors
    /// [`WindowFull`](crate::ServiceErrorKind::WindowFull) when the list is as long as it may be; [`Unavailable`](crate::ServiceErrorKind::Unavailable) without a connection.
    async fn load_older(&self, count: usize) -> Result<(), ServiceError>;
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<S: InternalNotificationsService + ?Sized> InternalNotificationsService for $pointer<S> {
            async fn init(&self) -> Result<(), ServiceError> {
                (**self).init().await
            }

            async fn dispose(&self) {
                (**self).dispose().await;
            }

            async fn subscribe(&self) -> Result<(), ServiceError> {
                (**self).subscribe().await
            }

            async fn unsubscribe(&self) -> Result<(), ServiceError> {
                (**self).unsubscribe().await
            }

            async fn push(&self, user_ids: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError> {
                (**self).push(user_ids, notification).await
            }

            fn snapshot(&self) -> Snapshot {
                (**self).snapshot()
            }

            fn snapshots(&self) -> BoxStream<'static, Snapshot> {
                (**self).snapshots()
            }

            fn announcements(&self) -> BoxStream<'static, Announcement> {
                (**self).announcements()
            }

            async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
                (**self).mark_opened(ids).await
            }

            async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
                (**self).mark_unopened(ids).await
            }

            async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
                (**self).mark_all_opened().await
            }

            async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError> {
                (**self).remove(id).await
            }

            async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
                (**self).load_older(count).await
            }
        }
    )*};
}

forward!(Arc, Box);
