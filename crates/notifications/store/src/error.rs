use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use internal_notifications_models::Head;

/// The error of a [`Store`](crate::Store).
///
/// Its text is one sentence about what went wrong. Its [`source`](Error::source) is the cause, if
/// known. Neither quotes stored notifications or a database's password.
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: Option<Cow<'static, str>>,
    head: Option<Head>,
    source: Option<Arc<dyn Error + Send + Sync>>,
    is_outage: bool,
}

/// The kinds of [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The notification id belongs to a notification with another body or sender.
    IdTaken,
    /// The idempotency key was used for another request.
    KeyReused,
    /// The notification expired before it was pushed.
    Expired,
    /// The position belongs to another history of the inbox, or is beyond its head.
    Diverged,
    /// There is no such notification.
    NotFound,
    /// The store is temporarily unavailable. Nothing was stored.
    Unavailable,
    /// Nothing can be written until the disk has room again. Nothing was stored.
    DiskFull,
    /// Nothing can be written until the database is writable again. Nothing was stored.
    ReadOnly,
    /// The database cannot be used at all: another server holds it, its schema is newer than this
    /// version knows, it rejects the login, or its data is corrupt.
    Unusable,
}

impl StoreError {
    /// Creates an error with the default message of its kind.
    pub fn new(kind: StoreErrorKind) -> Self {
        use StoreErrorKind::{DiskFull, ReadOnly, Unavailable, Unusable};
        let is_outage = matches!(kind, Unavailable | DiskFull | ReadOnly | Unusable);
        Self { kind, message: None, head: None, source: None, is_outage }
    }

    /// Sets a message that says more than the kind does.
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Sets the head of the inbox for which a write was rejected.
    pub fn with_head(mut self, head: Head) -> Self {
        self.head = Some(head);
        self
    }

    /// Sets the cause.
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// Sets whether the store as a whole failed.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn with_outage(self, is_outage: bool) -> Self {
        Self { is_outage, ..self }
    }

    /// Returns the kind.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Returns the head of the inbox if a write was rejected, read in the same transaction.
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// Returns whether the store as a whole failed, so that other calls fail too at the moment.
    /// Otherwise the error lies in this call or in the data that it concerns.
    pub fn is_outage(&self) -> bool {
        self.is_outage
    }

    /// Returns whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        use StoreErrorKind::{DiskFull, ReadOnly, Unavailable};
        matches!(self.kind, Unavailable | DiskFull | ReadOnly)
    }
}

impl StoreErrorKind {
    /// Returns the name of this kind for logs and metrics, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IdTaken => "id_taken",
            Self::KeyReused => "key_reused",
            Self::Expired => "expired",
            Self::Diverged => "diverged",
            Self::NotFound => "not_found",
            Self::Unavailable => "unavailable",
            Self::DiskFull => "disk_full",
            Self::ReadOnly => "read_only",
            Self::Unusable => "unusable",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::IdTaken => "the notification id belongs to another notification",
            Self::KeyReused => "the idempotency key belongs to another request",
            Self::Expired => "the notification has expired",
            Self::Diverged => "the position belongs to another history of the inbox",
            Self::NotFound => "there is no such notification",
            Self::Unavailable => "the database is unavailable",
            Self::DiskFull => "the disk is full",
            Self::ReadOnly => "the database is read-only",
            Self::Unusable => "the database cannot be used",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.as_deref().unwrap_or(self.kind.message()))
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_the_source_and_not_part_of_the_text() {
        let error = StoreError::new(StoreErrorKind::Unavailable).with_source("timed out");
        assert_eq!(error.to_string(), "the database is unavailable");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("timed out"));
        let error = error.with_message("PostgreSQL does not answer");
        assert_eq!(error.to_string(), "PostgreSQL does not answer");
        assert!(StoreError::new(StoreErrorKind::IdTaken).source().is_none());
    }

    #[test]
    fn only_temporary_errors_are_retryable() {
        use StoreErrorKind::*;
        for kind in [Unavailable, DiskFull, ReadOnly] {
            assert!(StoreError::new(kind).is_retryable(), "{kind:?}");
        }
        for kind in [IdTaken, KeyReused, Expired, Diverged, NotFound, Unusable] {
            assert!(!StoreError::new(kind).is_retryable(), "{kind:?}");
        }
    }

    #[test]
    fn an_answer_is_no_outage() {
        use StoreErrorKind::*;
        for kind in [Unavailable, DiskFull, ReadOnly, Unusable] {
            assert!(StoreError::new(kind).is_outage(), "{kind:?}");
        }
        for kind in [IdTaken, KeyReused, Expired, Diverged, NotFound] {
            assert!(!StoreError::new(kind).is_outage(), "{kind:?}");
        }
    }
}
