use std::fmt;

/// Why a service did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    kind: ServiceErrorKind,
    detail: String,
}

/// The kinds of [`ServiceError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceErrorKind {
    /// The service was not initialized, or is disposed.
    NotInitialized,
    /// The configuration cannot work.
    Configuration,
    /// The credential was refused, also a fresh one.
    Unauthorized,
    /// The credential is good, but not for this.
    Forbidden,
    /// The request was refused for what is in it.
    Invalid,
    /// It contradicts what the server has: an id that is taken, a history that is another.
    Conflict,
    /// There is no such notification.
    Unknown,
    /// The server cannot be reached, or cannot do it now.
    Unavailable,
    /// The server answered what it should not.
    Protocol,
    /// Too many writes wait for a connection.
    QueueFull,
    /// The list is as long as it may be.
    WindowFull,
    /// The service does nothing by choice.
    Disabled,
}

impl ServiceError {
    /// An error of a kind, with a sentence for people.
    pub fn new(kind: ServiceErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// The kind.
    pub fn kind(&self) -> ServiceErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.kind == ServiceErrorKind::Unavailable
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for ServiceError {}
