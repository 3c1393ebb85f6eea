use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use internal_notifications_models::{InternalNotification, NotificationId, Receipt, UserId};

use crate::{Announcement, ServiceError, Snapshot, Written, delegate_service};

/// The inbox of a user in an app: what every service must do.
///
/// The numbered contract below defines the behaviour. `internal-notifications-testkit` has a test
/// for each bullet, and runs them against any service. There are no default methods, so a wrapper
/// cannot forget one; [`delegate_service!`] forwards them.
/// [`InternalNotificationsServiceExt`](crate::InternalNotificationsServiceExt) adds conveniences.
///
/// # Contract
///
/// Lifecycle
///
/// 1. Before `init` the snapshot is empty and [`Idle`](crate::Status::Idle), and every asynchronous
///    call except `init` and `dispose` returns
///    [`NotInitialized`](crate::ServiceErrorKind::NotInitialized). Streams may be taken already:
///    `snapshots` yields the empty snapshot, and both continue with the next `init`.
/// 2. `init` returns when the first snapshot has been loaded, and announces nothing in it. A
///    service that keeps its inbox across restarts returns with the kept one instead, and one that
///    may start offline with an empty one.
/// 3. `init` of an initialized service does nothing. Concurrent calls share one start.
/// 4. An `init` that fails leaves the service idle, and may be called again.
/// 5. `dispose` forgets the user: the snapshot is empty and idle, and calls fail as before `init`.
///    A second `dispose` does nothing. Writes that wait for a connection (23) are dropped and never
///    stored.
/// 6. `init` after `dispose` works. It announces nothing a second time, and nothing is lost.
/// 7. `unsubscribe` keeps the state and stops live events ([`Paused`](crate::Status::Paused)). A
///    second one does nothing.
/// 8. `subscribe` resumes with a catch-up: what was missed is added, and announced once, in order.
///    It does nothing while subscribed.
///
/// State
///
/// 9. A push to the user is added to list and count once, newest first. List, count and position of
///    a snapshot belong to one moment.
/// 10. A push whose id the user has, or had and removed, changes nothing; its receipt counts a
///     duplicate.
/// 11. `mark_opened` and `mark_unopened` change list and count. They skip unknown ids and
///     notifications that are already so.
/// 12. `mark_all_opened` opens every notification that this replica has seen, also those older than
///     the list, and none that has come since.
/// 13. `remove` takes a notification out of list and count. If it is not there, it returns
///     [`Unknown`](crate::ServiceErrorKind::Unknown).
/// 14. A change on one device of a user shows on the user's other devices. Other users' inboxes do
///     not change.
/// 15. The list is bounded and the count is not: the list has the newest notifications, and
///     `load_older` adds older ones until all are there.
///
/// Streams
///
/// 16. `snapshots` yields the present snapshot first, and then the newest one after each change. A
///     slow reader misses snapshots in between, but never the last.
/// 17. `announcements` yields each new notification from now on, once, in order, and none that is
///     already opened.
/// 18. A reader of `announcements` that is too slow gets [`Skipped`](crate::Announcement::Skipped)
///     in place of what it missed, and delays nobody else.
/// 19. Streams end with `dispose`, and yield nothing of the user after it. Dropping a stream
///     changes nothing.
///
/// Push
///
/// 20. `push` returns when the notification is stored, as it was written: numbers in its payload
///     come back to the digit. Its receipt counts each recipient once. A notification without an id
///     gets one; an id that the app sets is a UUID, and a server may refuse any other as
///     [`Invalid`](crate::ServiceErrorKind::Invalid).
/// 21. A notification that breaks a rule returns [`Invalid`](crate::ServiceErrorKind::Invalid), and
///     one whose id belongs to another [`Conflict`](crate::ServiceErrorKind::Conflict). Neither
///     changes an inbox.
///
/// Offline
///
/// 22. Without a connection the state stays, and the status shows it. When the connection is back,
///     what was missed is added, and announced once, in order.
/// 23. A write without a connection is [`Queued`](crate::Written::Queued): the list shows it at
///     once, the count does not, and it is stored when the connection is back.
/// 24. A queued write that the server refuses is rolled back, and announced as
///     [`WriteRefused`](crate::Announcement::WriteRefused).
/// 25. The queue is bounded. A write that does not fit returns
///     [`QueueFull`](crate::ServiceErrorKind::QueueFull), and is not shown.
/// 26. A push without a connection returns [`Unavailable`](crate::ServiceErrorKind::Unavailable) or
///     waits, by configuration; it is never dropped silently. If the service is disposed while it
///     waits, it fails as before `init` and is never stored.
///
/// Cancelling
///
/// 27. A call whose future is dropped has happened once or not at all, and the service goes on.
///
/// Waking
///
/// 28. `wake` looks for what was missed at once, and for whether the connection is still alive,
///     instead of after the next position check or time-out. What was missed is added, and
///     announced once, in order. It changes nothing else, and does not resume what
///     [`unsubscribe`](Self::unsubscribe) stopped.
#[async_trait]
pub trait InternalNotificationsService: Send + Sync {
    /// Starts the service for its user (contract 2, 3, 4, 6).
    ///
    /// # Errors
    /// Fails if the credentials are refused, the configuration cannot work, or the inbox cannot be
    /// reached.
    async fn init(&self) -> Result<(), ServiceError>;

    /// Stops the service and forgets the user (5, 19).
    async fn dispose(&self);

    /// Resumes live events after [`unsubscribe`](Self::unsubscribe) (8). A service that has
    /// [failed](crate::Status::Failed), or is [polling](crate::Status::Polling), tries again at
    /// once.
    ///
    /// # Errors
    /// Fails before `init` and after `dispose`.
    async fn subscribe(&self) -> Result<(), ServiceError>;

    /// Stops live events and keeps the state (7).
    ///
    /// # Errors
    /// Fails before `init` and after `dispose`.
    async fn unsubscribe(&self) -> Result<(), ServiceError>;

    /// Checks the connection now, and what was missed (28). Call it when the app comes back to the
    /// foreground, when the machine wakes from sleep, or when the network changes.
    ///
    /// It returns without waiting for the result, which the snapshots show.
    ///
    /// # Errors
    /// Fails before `init` and after `dispose`.
    async fn wake(&self) -> Result<(), ServiceError>;

    /// Pushes a notification to users (20, 21, 26).
    ///
    /// A push with an id, which must be a UUID, may be repeated: it is stored once.
    /// [`push_to`](crate::InternalNotificationsServiceExt::push_to) takes texts as user ids.
    ///
    /// # Errors
    /// Fails if the server refuses the push or cannot be reached.
    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError>;

    /// Returns the present snapshot of the inbox (9).
    fn snapshot(&self) -> Snapshot;

    /// Returns a stream of the present snapshot and of the newest one after each change (16, 19).
    fn snapshots(&self) -> BoxStream<'static, Snapshot>;

    /// Returns a stream of announcements from now on (17, 18, 19).
    fn announcements(&self) -> BoxStream<'static, Announcement>;

    /// Marks notifications opened on all of the user's devices (11, 23). When it returns, the
    /// snapshot shows it.
    ///
    /// # Errors
    /// Fails if the server refuses the write or the queue is full.
    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError>;

    /// Marks notifications pending again (11, 23).
    ///
    /// # Errors
    /// Fails as [`mark_opened`](Self::mark_opened) does.
    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError>;

    /// Marks every notification opened that this replica has seen (12, 23).
    ///
    /// # Errors
    /// Fails as [`mark_opened`](Self::mark_opened) does. Returns
    /// [`Conflict`](crate::ServiceErrorKind::Conflict) if the server's history is not the one seen.
    async fn mark_all_opened(&self) -> Result<Written, ServiceError>;

    /// Removes a notification from the inbox on all of the user's devices (13, 23).
    ///
    /// # Errors
    /// Fails as [`mark_opened`](Self::mark_opened) does. Returns
    /// [`Unknown`](crate::ServiceErrorKind::Unknown) if it is not in the inbox.
    async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError>;

    /// Extends the list by `count` older notifications (15). Returns when they are in it, or when
    /// there are no more.
    ///
    /// # Errors
    /// Returns [`WindowFull`](crate::ServiceErrorKind::WindowFull) if the list cannot grow, and
    /// [`Unavailable`](crate::ServiceErrorKind::Unavailable) without a connection.
    async fn load_older(&self, count: usize) -> Result<(), ServiceError>;
}

impl<S: InternalNotificationsService + ?Sized> InternalNotificationsService for Arc<S> {
    delegate_service!(|this| **this);
}

impl<S: InternalNotificationsService + ?Sized> InternalNotificationsService for Box<S> {
    delegate_service!(|this| **this);
}
