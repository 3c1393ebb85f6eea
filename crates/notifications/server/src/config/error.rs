use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::realtime::WEBHOOKS;
use super::{InvalidWebhook, Variable};

/// A setting that cannot be used. Its text names the variable and the problem, never a secret.
#[derive(Clone, Debug)]
pub struct ConfigError {
    variable: &'static str,
    problem: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ConfigError {
    pub(crate) fn new(variable: &Variable, problem: impl Into<String>) -> Self {
        Self { variable: variable.name, problem: problem.into(), source: None }
    }

    /// Returns the error for a value that is not among the allowed ones.
    pub(crate) fn not_allowed(variable: &Variable, value: &str) -> Self {
        Self::new(variable, format!("{value:?} is not allowed; it must be {}", variable.allowed))
    }

    /// Returns the error for a destination of webhooks.
    pub(crate) fn webhook(error: InvalidWebhook) -> Self {
        Self::new(&WEBHOOKS, error.to_string())
    }

    pub(crate) fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns the name of the environment variable for this setting.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.problem)
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
