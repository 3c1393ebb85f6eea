use std::fmt;
use std::sync::Arc;

use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::ServiceKind;

const SERVICE: &str = "INTERNAL_NOTIFICATIONS_SERVICE";
#[cfg(feature = "mock")]
const USER_ID: &str = "INTERNAL_NOTIFICATIONS_USER_ID";
#[cfg(feature = "mock")]
const TOKEN: &str = "INTERNAL_NOTIFICATIONS_TOKEN";

/// The environment of a builder, empty by default. `Debug` shows no variable.
#[derive(Clone, Default)]
pub(crate) struct Env(Option<Arc<Lookup>>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Env {
    pub(crate) fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(lookup)))
    }

    /// The environment of the process. A variable that is not UTF-8 has an invalid value, so that
    /// reading it fails; it does not count as unset.
    pub(crate) fn of_process() -> Self {
        Self::new(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Returns whether the builder was given an environment.
    #[cfg(feature = "pusher")]
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the value of a variable. An empty one counts as unset.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.as_ref()?(name).filter(|value| !value.is_empty())
    }

    /// Returns the service that the environment names, if any.
    pub(crate) fn service(&self) -> Result<Option<ServiceKind>, ServiceError> {
        self.get(SERVICE).map(|name| name.parse().map_err(|error| invalid(SERVICE, &error))).transpose()
    }

    /// Returns the user that the environment names, by its id or by a token.
    #[cfg(feature = "mock")]
    pub(crate) fn user(&self) -> Result<Option<internal_notifications_models::UserId>, ServiceError> {
        use internal_notifications_models::UserId;
        use internal_notifications_service::Credentials;

        if let Some(user_id) = self.get(USER_ID) {
            return UserId::new(user_id).map(Some).map_err(|error| invalid(USER_ID, &error));
        }
        let Some(token) = self.get(TOKEN) else { return Ok(None) };
        let credentials = Credentials::from_token(token).map_err(|error| invalid(TOKEN, &error))?;
        Ok(Some(credentials.user_id().clone()))
    }
}

fn invalid(variable: &str, problem: &dyn fmt::Display) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Configuration, format!("{variable} is invalid: {problem}"))
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").finish_non_exhaustive()
    }
}
