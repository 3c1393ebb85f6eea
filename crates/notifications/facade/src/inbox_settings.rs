use std::time::Duration;

use internal_notifications_models::UserId;
use internal_notifications_service::OfflinePush;

use crate::InternalNotificationsBuilder;

/// What every service that holds an inbox goes by.
#[derive(Clone, Default)]
pub(crate) struct InboxSettings {
    pub(crate) user_id: Option<UserId>,
    pub(crate) window: Option<usize>,
    pub(crate) offline_push: Option<OfflinePush>,
    pub(crate) position_check: Option<Duration>,
}

/// For the services `pusher` and `mock`.
impl InternalNotificationsBuilder {
    /// The user, where nothing needs a token (a mock; a live-only service with an authorizer of the caller's), or where the environment has
    /// it: `INTERNAL_NOTIFICATIONS_TOKEN`.
    pub fn user_id(mut self, user_id: UserId) -> Self {
        self.inbox.user_id = Some(user_id);
        self
    }

    /// How many of the newest notifications the list holds before `load_older`. 200 by default.
    pub fn window(mut self, notifications: usize) -> Self {
        self.inbox.window = Some(notifications);
        self
    }

    /// What a push does without a connection: err, or wait. By default it errs.
    pub fn offline_push(mut self, choice: OfflinePush) -> Self {
        self.inbox.offline_push = Some(choice);
        self
    }

    /// How long a loss may stay undiscovered on a connection that looks fine. By default what the server says, mostly 60 s.
    pub fn position_check(mut self, interval: Duration) -> Self {
        self.inbox.position_check = Some(interval);
        self
    }
}
