use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use internal_notifications_models::{
    InboxPage, InternalNotification, NotificationId, Receipt, Retraction, UserId,
};
use internal_notifications_service::{ServiceError, user_ids};

use crate::hub_state::HubState;
use crate::{Backup, MockClock, MockService, MockServiceBuilder, PushRecord};

/// The mock's server: the inboxes of all users, in memory. Clones are the same hub.
///
/// Everything is deterministic and nothing is asynchronous: ids, tags and times are sequential, and
/// all effects of a call, on every device, have happened when it returns. Two runs of the same test
/// have the same [`trace`](Self::trace).
#[derive(Clone)]
pub struct MockHub(pub(crate) Arc<Shared>);

pub(crate) struct Shared(Mutex<HubState>);

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, HubState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MockHub {
    /// Creates a hub with empty inboxes.
    pub fn new() -> Self {
        Self(Arc::new(Shared(Mutex::new(HubState::new()))))
    }

    /// Creates a service of this user. Each one is a separate device.
    ///
    /// If the text is not a valid user id, `init` fails with
    /// [`Configuration`](internal_notifications_service::ServiceErrorKind::Configuration).
    pub fn service(&self, user: impl AsRef<str>) -> MockService {
        self.service_builder(user).build()
    }

    /// Creates a builder for a service of this user with other settings than the default.
    pub fn service_builder(&self, user: impl AsRef<str>) -> MockServiceBuilder {
        MockService::builder().hub(self.clone()).user(user)
    }

    /// Pushes a notification to users as a backend does. The sender is `key:NAME`.
    ///
    /// # Errors
    /// Returns the errors of a server:
    /// [`Invalid`](internal_notifications_service::ServiceErrorKind::Invalid) for a push that
    /// breaks a rule or names an invalid user, and
    /// [`Conflict`](internal_notifications_service::ServiceErrorKind::Conflict) if the id belongs
    /// to another notification or another sender.
    pub fn push_as_backend(
        &self,
        name: &str,
        users: impl IntoIterator<Item: TryInto<UserId, Error: Into<ServiceError>>>,
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        self.0.state().push(&format!("key:{name}"), &user_ids(users)?, notification)
    }

    /// Retracts a notification as a backend does. It is removed from every inbox that has it, and
    /// is not delivered to those that would get it later.
    ///
    /// # Errors
    /// Returns [`Unknown`](internal_notifications_service::ServiceErrorKind::Unknown) if no
    /// notification with this id was ever pushed, and
    /// [`Invalid`](internal_notifications_service::ServiceErrorKind::Invalid) if the id is invalid.
    pub fn retract_as_backend(
        &self,
        name: &str,
        id: impl TryInto<NotificationId, Error: Into<ServiceError>>,
    ) -> Result<Retraction, ServiceError> {
        let id = id.try_into().map_err(Into::into)?;
        self.0.state().retract(&format!("key:{name}"), &id)
    }

    /// Triggers an event on the user's channel, as a sender without an inbox server does. Live
    /// services announce it as [`Bare`](internal_notifications_service::Announcement::Bare);
    /// it is not stored.
    ///
    /// # Errors
    /// Returns [`Invalid`](internal_notifications_service::ServiceErrorKind::Invalid) if the user
    /// id is invalid.
    pub fn trigger_bare(
        &self,
        user: impl TryInto<UserId, Error: Into<ServiceError>>,
        notification: InternalNotification,
    ) -> Result<(), ServiceError> {
        let user = user.try_into().map_err(Into::into)?;
        self.0.state().trigger(&user, notification);
        Ok(())
    }

    /// Returns the pushes that were stored, in order. After a very long run, only the last 10,000.
    pub fn pushes(&self) -> Vec<PushRecord> {
        self.0.state().pushes.iter().cloned().collect()
    }

    /// Returns a user's whole inbox, newest first. It is empty if nothing was pushed to the user.
    pub fn inbox(&self, user: impl TryInto<UserId>) -> InboxPage {
        let user = user.try_into();
        user.map_or_else(|_| InboxPage::default(), |user| self.0.state().inboxes.page(&user))
    }

    /// Returns the hub's clock.
    pub fn clock(&self) -> MockClock {
        MockClock(Arc::clone(&self.0))
    }

    /// Cuts the connections of all services, including future ones. Backends are not affected.
    pub fn cut(&self) {
        self.0.state().set_all_online(false);
    }

    /// Restores the connections of all services.
    pub fn mend(&self) {
        self.0.state().set_all_online(true);
    }

    /// Copies all inboxes.
    pub fn backup(&self) -> Backup {
        Backup(self.0.state().inboxes.clone())
    }

    /// Replaces all inboxes, and the notifications that are still to be sent, by those of the
    /// backup.
    ///
    /// Services are not notified: they find out at the next event or position check. The clock
    /// advances by a millisecond, so that new changes are later than all lost ones.
    pub fn restore(&self, backup: &Backup) {
        self.0.state().restore(backup);
    }

    /// Deletes the change logs of all inboxes, but not the inboxes. A service that missed changes
    /// then gets a snapshot instead.
    pub fn trim(&self) {
        let mut state = self.0.state();
        state.inboxes.trim();
        state.note_hub(format_args!("trims the logs"));
    }

    /// Returns everything that happened, as lines of text.
    ///
    /// Times are those of the hub's clock, services are called `USER#NUMBER`, and the contents of
    /// notifications are left out. After a long run, only the last 10,000 lines.
    pub fn trace(&self) -> Vec<String> {
        self.0.state().trace.lines()
    }
}

impl Default for MockHub {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MockHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockHub").field("services", &self.0.state().device_count()).finish_non_exhaustive()
    }
}
