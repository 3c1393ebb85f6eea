use std::fmt;

use internal_notifications_models::Head;

/// Why the store did not do it.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    head: Option<Head>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The notification id belongs to another body or sender.
    IdTaken,
    /// The idempotency key belongs to another request.
    KeyReused,
    /// The notification's time is over.
    Expired,
    /// The caller's position is of another history.
    Diverged,
    /// There is no such notification in the inbox.
    Unknown,
    /// The store cannot do it now; nothing was stored. Later it may.
    Unavailable,
    /// As `Unavailable`, until there is room on the disk again.
    DiskFull,
    /// As `Unavailable`, until the database can be written again.
    ReadOnly,
    /// The database is not usable: a newer schema, another server holding it, a corrupt file.
    Unusable,
}

impl StoreError {
    /// An error of this kind.
    pub fn new(kind: StoreErrorKind) -> Self {
        Self { kind, head: None, cause: None }
    }

    /// With the head of the inbox it concerns.
    pub fn with_head(mut self, head: Head) -> Self {
        self.head = Some(head);
        self
    }

    /// With what caused it.
    pub fn with_cause(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The kind.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The head of the inbox, read in the same transaction, where a write was refused.
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        use StoreErrorKind::{DiskFull, ReadOnly, Unavailable};
        matches!(self.kind, Unavailable | DiskFull | ReadOnly)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::IdTaken => "the notification id belongs to another notification",
            StoreErrorKind::KeyReused => "the idempotency key belongs to another request",
            StoreErrorKind::Expired => "the notification has expired",
            StoreErrorKind::Diverged => "the inbox has another history than the one asked about",
            StoreErrorKind::Unknown => "no such notification",
            StoreErrorKind::Unavailable => "the store cannot do it now",
            StoreErrorKind::DiskFull => "the disk is full",
            StoreErrorKind::ReadOnly => "the database is read-only",
            StoreErrorKind::Unusable => "the database cannot be used",
        })?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
