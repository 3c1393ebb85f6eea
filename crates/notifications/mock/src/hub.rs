use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use internal_notifications_models::{
    InboxPage, InternalNotification, InvalidId, NotificationId, Receipt, Retraction, UserId,
};
use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::hub_state::HubState;
use crate::{Backup, MockClock, MockService, MockServiceBuilder, PushRecord};

/// The server of the mock: everyone's inbox in memory, and the lines to the services. Cheap to clone; clones are the same hub.
///
/// Nothing in it is left to chance, and nothing real is waited for: ids, tags and times are counted, and what a call causes has happened
/// everywhere when it returns. The same run gives the same [`trace`](Self::trace).
#[derive(Clone)]
pub struct MockHub(pub(crate) Arc<Shared>);

pub(crate) struct Shared(Mutex<HubState>);

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, HubState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MockHub {
    /// A hub with nothing in it.
    pub fn new() -> Self {
        Self(Arc::new(Shared(Mutex::new(HubState::new()))))
    }

    /// A service of this user: a device of its own each time. Its `init` errs with
    /// [`Configuration`](ServiceErrorKind::Configuration) when there can be no such user.
    pub fn service(&self, user: impl AsRef<str>) -> MockService {
        self.service_builder(user).build()
    }

    /// As [`service`](Self::service), with settings of its own.
    pub fn service_builder(&self, user: impl AsRef<str>) -> MockServiceBuilder {
        MockServiceBuilder::new(self.clone(), user.as_ref().to_owned())
    }

    /// A backend pushes to users: as the sender `key:NAME`.
    ///
    /// # Errors
    /// [`Invalid`](ServiceErrorKind::Invalid) and [`Conflict`](ServiceErrorKind::Conflict), as a server refuses it.
    pub fn push_as_backend(
        &self,
        name: &str,
        users: impl IntoIterator<Item = impl AsRef<str>>,
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        let users: Result<Vec<_>, _> = users.into_iter().map(|user| UserId::new(user.as_ref())).collect();
        self.0.state().push(&format!("key:{name}"), &users.map_err(invalid)?, notification)
    }

    /// A backend takes a notification back: those who were to get it later will not, and it leaves every inbox that has it.
    ///
    /// # Errors
    /// [`Unknown`](ServiceErrorKind::Unknown) when nobody was ever pushed a notification of that id, [`Invalid`](ServiceErrorKind::Invalid)
    /// when there can be none.
    pub fn retract_as_backend(&self, name: &str, id: impl AsRef<str>) -> Result<Retraction, ServiceError> {
        let id = NotificationId::new(id.as_ref()).map_err(invalid)?;
        self.0.state().retract(&format!("key:{name}"), &id)
    }

    /// A sender that knows of no inbox triggers this on the user's channel: it is announced where a service listens, and kept nowhere.
    ///
    /// # Errors
    /// [`Invalid`](ServiceErrorKind::Invalid) when there can be no such user.
    pub fn trigger_bare(
        &self,
        user: impl AsRef<str>,
        notification: InternalNotification,
    ) -> Result<(), ServiceError> {
        let user = UserId::new(user.as_ref()).map_err(invalid)?;
        self.0.state().trigger(&user, notification);
        Ok(())
    }

    /// What was pushed and stored, in order; of very many the newest 10,000.
    pub fn pushes(&self) -> Vec<PushRecord> {
        self.0.state().pushes.iter().cloned().collect()
    }

    /// A user's whole inbox as the hub has it, newest first. Empty for a user that nobody ever pushed to.
    pub fn inbox(&self, user: impl AsRef<str>) -> InboxPage {
        let user = UserId::new(user.as_ref());
        user.map_or_else(|_| InboxPage::default(), |user| self.0.state().inboxes.page(&user))
    }

    /// The hub's clock.
    pub fn clock(&self) -> MockClock {
        MockClock(Arc::clone(&self.0))
    }

    /// Cuts every service off, also those that are made from now on. Backends still reach the hub.
    pub fn cut(&self) {
        self.0.state().set_up(false);
    }

    /// Every service is connected again.
    pub fn mend(&self) {
        self.0.state().set_up(true);
    }

    /// Every inbox as it is now.
    pub fn backup(&self) -> Backup {
        Backup(self.0.state().inboxes.clone())
    }

    /// Every inbox is as it was then, and so is what was to come later. Nobody is told: services notice at the next event or position check.
    ///
    /// It takes a millisecond of the hub's clock: what comes after it is newer than anything that was lost.
    pub fn restore(&self, backup: &Backup) {
        self.0.state().restore(backup);
    }

    /// Forgets the changes of all inboxes, not the inboxes: who missed some is answered with a snapshot.
    pub fn trim(&self) {
        let mut state = self.0.state();
        state.inboxes.trim();
        state.note_hub(format_args!("the logs are trimmed"));
    }

    /// Everything that happened, a line each: times by the hub's clock, services as `USER#NUMBER`, and nothing of what notifications
    /// say. Of a long run the newest 10,000 lines.
    pub fn trace(&self) -> Vec<String> {
        self.0.state().trace.lines()
    }
}

fn invalid(error: InvalidId) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Invalid, error.to_string())
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
