use std::fmt;
use std::sync::Arc;

use internal_notifications_models::{
    InboxNotification, InternalNotification, NotificationId, Receipt, UserId,
};
use internal_notifications_service::{
    Announcement, BoxStream, InternalNotificationsService, InternalNotificationsServiceExt, ServiceError,
    Snapshot, Written, delegate_service,
};

use crate::env::Env;
use crate::unknown_variables::warn_of_unknown_variables;
use crate::{InternalNotificationsBuilder, ServiceKind};

/// A user's inbox in an app. Clones are the same inbox.
///
/// Which service is behind it is decided when it is built. Its methods follow the
/// [contract](InternalNotificationsService#contract), whose numbers are in parentheses. The service
/// ends with [`dispose`](Self::dispose) or with the last clone.
///
/// To switch the user of an app, call [`dispose`](Self::dispose) and then [`init`](Self::init),
/// which asks the [identity](InternalNotificationsBuilder::identity) for the new user. Nothing of
/// the previous user is left: the snapshot is empty in between, and all streams have ended.
#[derive(Clone)]
pub struct InternalNotifications {
    kind: ServiceKind,
    service: Arc<dyn InternalNotificationsService>,
}

impl InternalNotifications {
    /// Returns a builder, for settings in code.
    pub fn builder() -> InternalNotificationsBuilder {
        InternalNotificationsBuilder::new()
    }

    /// Builds the service that the environment of the process describes.
    ///
    /// It logs a warning (`tracing`) for each variable whose name begins with
    /// `INTERNAL_NOTIFICATIONS_` and is unknown.
    ///
    /// # Errors
    /// Returns the errors of [`build`](InternalNotificationsBuilder::build). The message names the
    /// variable and the allowed values.
    pub fn from_env() -> Result<Self, ServiceError> {
        warn_of_unknown_variables();
        Self::builder().with_env(Env::of_process()).build()
    }

    /// Builds the service that another environment describes, such as a file or a test's variables.
    ///
    /// # Errors
    /// Returns the errors of [`from_env`](Self::from_env).
    pub fn from_env_with(
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, ServiceError> {
        Self::builder().env(lookup).build()
    }

    pub(crate) fn new(kind: ServiceKind, service: Arc<dyn InternalNotificationsService>) -> Self {
        Self { kind, service }
    }

    /// Returns the kind of service behind this handle.
    pub fn kind(&self) -> ServiceKind {
        self.kind
    }

    /// Starts the service for its user and loads the first snapshot (2, 3, 4, 6).
    ///
    /// # Errors
    /// Returns an error if the credentials are refused, the configuration cannot work or the inbox
    /// cannot be reached. `init` may then be called again.
    pub async fn init(&self) -> Result<(), ServiceError> {
        self.service.init().await
    }

    /// Ends the service and all streams, and forgets the user (5, 19).
    pub async fn dispose(&self) {
        self.service.dispose().await;
    }

    /// Resumes live events after [`unsubscribe`](Self::unsubscribe) and catches up (8). A service
    /// that has [failed](crate::Status::Failed), or is [polling](crate::Status::Polling), tries
    /// again at once.
    ///
    /// # Errors
    /// Returns [`NotInitialized`](crate::ServiceErrorKind::NotInitialized) before `init` and after
    /// `dispose`.
    pub async fn subscribe(&self) -> Result<(), ServiceError> {
        self.service.subscribe().await
    }

    /// Stops live events and keeps the state (7).
    ///
    /// # Errors
    /// Returns [`NotInitialized`](crate::ServiceErrorKind::NotInitialized) before `init` and after
    /// `dispose`.
    pub async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.service.unsubscribe().await
    }

    /// Checks the connection and what was missed now, instead of at the next position check or
    /// time-out (28).
    ///
    /// Call it when the app comes back to the foreground, when the machine wakes from sleep, or
    /// when the network changes. It returns without waiting for the result, which the snapshots
    /// show.
    ///
    /// # Errors
    /// Returns [`NotInitialized`](crate::ServiceErrorKind::NotInitialized) before `init` and after
    /// `dispose`.
    pub async fn wake(&self) -> Result<(), ServiceError> {
        self.service.wake().await
    }

    /// Pushes a notification to users, such as `["ada"]` or `&user_ids` (20, 21, 26).
    ///
    /// A push with an id may be repeated: each user gets the notification once. The id must be a
    /// UUID, unless the server's policy allows users more; without one, a UUID is generated.
    ///
    /// # Errors
    /// Returns [`Invalid`](crate::ServiceErrorKind::Invalid) if a user id or the notification is
    /// invalid, [`Unavailable`](crate::ServiceErrorKind::Unavailable) if there is no connection,
    /// and the server's error if it refuses the push.
    pub async fn push(
        &self,
        users: impl IntoIterator<Item: TryInto<UserId, Error: Into<ServiceError>>>,
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        let users = converted::<UserId>(users)?;
        self.service.push(&users, notification).await
    }

    /// Returns the current list, pending count and status (9).
    pub fn snapshot(&self) -> Snapshot {
        self.service.snapshot()
    }

    /// Returns a stream of the current snapshot and then of the newest one whenever it changes
    /// (16, 19).
    pub fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.service.snapshots()
    }

    /// Returns a stream of new notifications from now on, for toasts and sounds (17, 18, 19).
    pub fn announcements(&self) -> BoxStream<'static, Announcement> {
        self.service.announcements()
    }

    /// Returns a stream of the list alone: the current one, and a new one after each change of the
    /// inbox.
    pub fn notifications(&self) -> BoxStream<'static, Arc<[Arc<InboxNotification>]>> {
        self.service.notifications()
    }

    /// Returns a stream of the pending count alone: the current one, and a new one after each
    /// change of the inbox.
    pub fn pending(&self) -> BoxStream<'static, u64> {
        self.service.pending()
    }

    /// Waits for a snapshot that satisfies the condition, beginning with the current one.
    ///
    /// Returns none if the service is disposed first.
    pub async fn wait_for(&self, condition: impl Fn(&Snapshot) -> bool + Send + Sync) -> Option<Snapshot> {
        self.service.wait_for(condition).await
    }

    /// Waits for a snapshot that includes the change with this seq.
    ///
    /// Returns none if the service is disposed first.
    pub async fn wait_until(&self, seq: u64) -> Option<Snapshot> {
        self.service.wait_until(seq).await
    }

    /// Marks notifications opened on all of the user's devices, such as `[&row.id]` (11, 23).
    ///
    /// When this returns, the snapshot shows it.
    ///
    /// # Errors
    /// Returns [`Invalid`](crate::ServiceErrorKind::Invalid) if an id is invalid,
    /// [`QueueFull`](crate::ServiceErrorKind::QueueFull) if too many writes wait for a connection,
    /// and the server's error if it refuses the write.
    pub async fn mark_opened(
        &self,
        ids: impl IntoIterator<Item: TryInto<NotificationId, Error: Into<ServiceError>>>,
    ) -> Result<Written, ServiceError> {
        let ids = converted::<NotificationId>(ids)?;
        self.service.mark_opened(&ids).await
    }

    /// Marks notifications pending again (11, 23).
    ///
    /// # Errors
    /// Returns the errors of [`mark_opened`](Self::mark_opened).
    pub async fn mark_unopened(
        &self,
        ids: impl IntoIterator<Item: TryInto<NotificationId, Error: Into<ServiceError>>>,
    ) -> Result<Written, ServiceError> {
        let ids = converted::<NotificationId>(ids)?;
        self.service.mark_unopened(&ids).await
    }

    /// Marks all notifications opened that this device has received (12, 23).
    ///
    /// # Errors
    /// Returns the errors of [`mark_opened`](Self::mark_opened), and
    /// [`Conflict`](crate::ServiceErrorKind::Conflict) if the server's history is no longer the one
    /// that this device has seen.
    pub async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
        self.service.mark_all_opened().await
    }

    /// Removes a notification from the inbox on all of the user's devices (13, 23).
    ///
    /// # Errors
    /// Returns the errors of [`mark_opened`](Self::mark_opened), and
    /// [`Unknown`](crate::ServiceErrorKind::Unknown) if the inbox does not have the notification.
    pub async fn remove(
        &self,
        id: impl TryInto<NotificationId, Error: Into<ServiceError>>,
    ) -> Result<Written, ServiceError> {
        let id = id.try_into().map_err(Into::into)?;
        self.service.remove(&id).await
    }

    /// Extends the list by up to `count` older notifications (15).
    ///
    /// # Errors
    /// Returns [`WindowFull`](crate::ServiceErrorKind::WindowFull) if the list has its maximum
    /// length, and [`Unavailable`](crate::ServiceErrorKind::Unavailable) without a connection.
    pub async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
        self.service.load_older(count).await
    }
}

fn converted<T>(
    values: impl IntoIterator<Item: TryInto<T, Error: Into<ServiceError>>>,
) -> Result<Vec<T>, ServiceError> {
    values.into_iter().map(|value| value.try_into().map_err(Into::into)).collect()
}

impl InternalNotificationsService for InternalNotifications {
    delegate_service!(|this| this.service);
}

impl fmt::Debug for InternalNotifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InternalNotifications")
            .field("kind", &self.kind)
            .field("status", &self.snapshot().status)
            .finish_non_exhaustive()
    }
}
