use std::fmt;
use std::sync::Arc;

use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::ServiceKind;

pub(crate) const SERVICE: &str = "INTERNAL_NOTIFICATIONS_SERVICE";
#[cfg(feature = "mock")]
pub(crate) const USER_ID: &str = "INTERNAL_NOTIFICATIONS_USER_ID";

/// Where variables are looked up; `Debug` shows none of them.
#[derive(Clone)]
pub(crate) struct Env(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Env {
    pub(crate) fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// That of the process. What is no UTF-8 is wrong wherever it is read, rather than not set.
    pub(crate) fn of_process() -> Self {
        Self::new(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// A variable's value; an empty one counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn service(&self) -> Result<Option<ServiceKind>, ServiceError> {
        self.get(SERVICE).map(|name| name.parse().map_err(|error| wrong(SERVICE, &error))).transpose()
    }
}

/// An empty environment.
impl Default for Env {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

pub(crate) fn wrong(variable: &str, problem: &dyn fmt::Display) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Configuration, format!("{variable} is wrong: {problem}"))
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").finish_non_exhaustive()
    }
}
