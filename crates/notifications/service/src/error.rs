use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use internal_notifications_models::{InvalidId, InvalidNotification, InvalidPush};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::with_causes;

/// Why a service did not do what it was asked to do.
///
/// Its `Display` does not repeat its cause, which is the
/// [`source`](Error::source). Errors compare equal if their kinds, messages and causes are equal.
///
/// As JSON it has a `kind` and a `message`, which includes the causes: `{"kind": "unavailable",
/// "message": "the server cannot be reached: connection refused"}`.
#[derive(Clone, Debug, Deserialize)]
pub struct ServiceError {
    kind: ServiceErrorKind,
    message: String,
    #[serde(skip)]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kind of a [`ServiceError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServiceErrorKind {
    /// The service is not initialized, or is disposed.
    NotInitialized,
    /// The configuration cannot work.
    Configuration,
    /// The server refused the credentials, and fresh ones too.
    Unauthorized,
    /// The user is not allowed to do this.
    Forbidden,
    /// The request is invalid.
    Invalid,
    /// The request contradicts the server's state: the id is taken, or the history is another.
    Conflict,
    /// There is no such notification.
    Unknown,
    /// The server cannot be reached, or cannot answer now.
    Unavailable,
    /// The server sent an answer that breaks the protocol.
    Protocol,
    /// Too many writes wait for a connection.
    QueueFull,
    /// The list holds as many notifications as it can.
    WindowFull,
    /// Notifications are switched off by configuration.
    Disabled,
    /// The device's storage failed, or holds something that this version cannot read.
    Storage,
    /// Another process has the inbox open in the same storage.
    InUse,
}

impl ServiceError {
    /// Makes an error without a cause; `message` is one sentence for people.
    pub fn new(kind: ServiceErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Sets the cause. The message should not repeat it.
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Returns the kind.
    pub fn kind(&self) -> ServiceErrorKind {
        self.kind
    }

    /// Returns whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.kind == ServiceErrorKind::Unavailable
    }
}

impl PartialEq for ServiceError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && with_causes(self) == with_causes(other)
    }
}

impl Eq for ServiceError {}

impl Serialize for ServiceError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_struct("ServiceError", 2)?;
        json.serialize_field("kind", &self.kind)?;
        json.serialize_field("message", &with_causes(self))?;
        json.end()
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ServiceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

macro_rules! invalid {
    ($($error:ty),*) => {$(
        impl From<$error> for ServiceError {
            fn from(error: $error) -> Self {
                Self::new(ServiceErrorKind::Invalid, error.to_string())
            }
        }
    )*};
}

invalid!(InvalidId, InvalidNotification, InvalidPush);

/// A [`UserId`](internal_notifications_models::UserId) is accepted where a text is, and cannot
/// fail.
impl From<Infallible> for ServiceError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use internal_notifications_models::UserId;

    use super::*;

    fn unavailable() -> ServiceError {
        ServiceError::new(ServiceErrorKind::Unavailable, "the server cannot be reached")
    }

    #[test]
    fn an_error_reports_its_cause_as_its_source_alone() {
        let error = unavailable().with_source(std::io::Error::other("connection refused"));
        assert_eq!(error.to_string(), "the server cannot be reached");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("connection refused"));
        assert!(unavailable().source().is_none());
    }

    #[test]
    fn errors_are_compared_by_kind_message_and_causes() {
        let refused = || unavailable().with_source("connection refused");
        assert_eq!(refused(), refused());
        assert_ne!(refused(), unavailable());
        assert_ne!(refused(), unavailable().with_source("no such host"));
        assert_ne!(ServiceError::new(ServiceErrorKind::Protocol, unavailable().message), unavailable());
        assert_ne!(ServiceError::new(ServiceErrorKind::Unavailable, "busy"), unavailable());
    }

    #[test]
    fn only_what_is_unavailable_is_worth_a_retry() {
        assert!(unavailable().is_retryable());
        assert!(!ServiceError::new(ServiceErrorKind::QueueFull, "").is_retryable());
    }

    #[test]
    fn an_invalid_id_is_an_invalid_request() {
        let error = ServiceError::from(UserId::new("a b").unwrap_err());
        assert_eq!(error.kind(), ServiceErrorKind::Invalid);
        assert!(error.to_string().contains("user id"));
    }
}
