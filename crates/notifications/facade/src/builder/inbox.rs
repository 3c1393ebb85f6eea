use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::UserId;
use internal_notifications_service::{Identity, OfflinePush, ServiceError, ServiceErrorKind};

use super::InternalNotificationsBuilder;

/// Passes a setting on to the builders of the services that this build has.
macro_rules! set {
    ($builder:ident.$setting:ident($value:expr)) => {{
        #[cfg(feature = "mock")]
        {
            $builder.mock = $builder.mock.$setting($value);
        }
        #[cfg(feature = "pusher")]
        {
            $builder.pusher = $builder.pusher.$setting($value);
        }
    }};
}

/// Settings of the services `pusher` and `mock`.
impl InternalNotificationsBuilder {
    /// Sets the user and a token, which is used for as long as it is valid. A mock ignores the
    /// token.
    pub fn user(
        mut self,
        user_id: impl TryInto<UserId, Error: Into<ServiceError>>,
        token: impl Into<String>,
    ) -> Self {
        let Some(user_id) = self.checked(user_id) else { return self };
        #[cfg(feature = "mock")]
        {
            self.mock = self.mock.user(&user_id);
        }
        #[cfg(feature = "pusher")]
        {
            self.pusher = self.pusher.user(user_id, token);
        }
        #[cfg(not(feature = "pusher"))]
        drop(token);
        self
    }

    /// Sets the user without a token.
    ///
    /// That is enough for a mock, for a live-only service with an authorizer of your own, and if
    /// the [environment](Self::env) has the token.
    pub fn user_id(mut self, user_id: impl TryInto<UserId, Error: Into<ServiceError>>) -> Self {
        let Some(user_id) = self.checked(user_id) else { return self };
        #[cfg(feature = "mock")]
        {
            self.mock = self.mock.user(&user_id);
        }
        #[cfg(feature = "pusher")]
        {
            self.pusher = self.pusher.user_id(user_id);
        }
        self
    }

    /// Sets the identity, which names the user and provides tokens.
    ///
    /// Each `init` asks it for the user. It is asked for a fresh token when the server refuses the
    /// last one.
    pub fn identity(mut self, identity: impl Identity + 'static) -> Self {
        let identity: Arc<dyn Identity> = Arc::new(identity);
        set!(self.identity(Arc::clone(&identity)));
        self
    }

    /// Sets how many of the newest notifications the list holds before `load_older`. 200 by
    /// default.
    pub fn window(mut self, notifications: usize) -> Self {
        set!(self.window(notifications));
        self
    }

    /// Sets what a push does without a connection: fail, the default, or wait.
    pub fn offline_push(mut self, choice: OfflinePush) -> Self {
        set!(self.offline_push(choice));
        self
    }

    /// Sets the interval of position checks. A lost event is detected within this time, even if the
    /// connection seems fine. By default the server decides, usually 60 s.
    pub fn position_check(mut self, interval: Duration) -> Self {
        set!(self.position_check(interval));
        self
    }

    /// Returns the user id if it is valid; otherwise `build` returns the error.
    fn checked(&mut self, user_id: impl TryInto<UserId, Error: Into<ServiceError>>) -> Option<UserId> {
        let error = match user_id.try_into() {
            Ok(user_id) => return Some(user_id),
            Err(error) => error.into(),
        };
        let message = format!("the user of the builder is invalid: {error}");
        self.invalid.get_or_insert(ServiceError::new(ServiceErrorKind::Configuration, message));
        None
    }
}
