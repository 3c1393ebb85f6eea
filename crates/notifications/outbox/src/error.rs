use std::fmt;

use internal_notifications_models::{InvalidNotification, InvalidPush};

/// The error of an [`Outbox`](crate::Outbox).
///
/// Its source is the `sqlx::Error` if the database reported one.
#[derive(Debug)]
pub struct OutboxError {
    kind: OutboxErrorKind,
    message: String,
    database: Option<sqlx::Error>,
}

/// The kinds of [`OutboxError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutboxErrorKind {
    /// The name of the outbox is invalid.
    Name,
    /// There are no recipients, or too many.
    Recipients,
    /// The notification is invalid: it has no content, uses an id that no URL can name or a name
    /// that belongs to the server, is nested too deep, or expires before it is due.
    Notification,
    /// The notification has more bytes than a server accepts.
    TooLarge,
    /// The database failed. On PostgreSQL the transaction must be rolled back.
    Database,
}

impl OutboxError {
    pub(crate) fn new(kind: OutboxErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), database: None }
    }

    /// Returns the kind.
    pub fn kind(&self) -> OutboxErrorKind {
        self.kind
    }

    /// Returns whether the whole transaction may succeed if it is run again from its start: the
    /// connection was lost, the database was busy, or the transaction conflicted with another.
    pub fn is_retryable(&self) -> bool {
        match &self.database {
            Some(sqlx::Error::Database(error)) => error.code().is_some_and(|code| is_transient(&code)),
            Some(error) => {
                use sqlx::Error::{Io, PoolTimedOut, WorkerCrashed};
                matches!(error, Io(_) | PoolTimedOut | WorkerCrashed)
            }
            None => false,
        }
    }
}

/// Returns whether an error with this code may pass by itself.
///
/// PostgreSQL's codes have five characters:
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>. SQLite's are shorter numbers:
/// <https://sqlite.org/rescode.html>.
fn is_transient(code: &str) -> bool {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const FULL: u32 = 13;
    if code.len() == 5 {
        return ["08", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>().is_ok_and(|code| [BUSY, LOCKED, FULL].contains(&(code & 0xff)))
}

impl fmt::Display for OutboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for OutboxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.database.as_ref().map(|error| error as _)
    }
}

impl From<InvalidNotification> for OutboxError {
    fn from(error: InvalidNotification) -> Self {
        Self::new(OutboxErrorKind::Notification, error.to_string())
    }
}

impl From<InvalidPush> for OutboxError {
    fn from(error: InvalidPush) -> Self {
        let kind = match error {
            InvalidPush::Recipients(_) => OutboxErrorKind::Recipients,
            InvalidPush::TooLarge(_) => OutboxErrorKind::TooLarge,
            _ => OutboxErrorKind::Notification,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<sqlx::Error> for OutboxError {
    fn from(error: sqlx::Error) -> Self {
        let message = "the database could not store the intent".to_owned();
        Self { kind: OutboxErrorKind::Database, message, database: Some(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_databases_and_conflicts_are_retryable() {
        for code in ["40001", "40P01", "57P01", "5", "517", "6", "13"] {
            assert!(is_transient(code), "{code}");
        }
        for code in ["42P01", "42501", "23505", "1", "11", "2067", "x"] {
            assert!(!is_transient(code), "{code}");
        }
        assert!(OutboxError::from(sqlx::Error::WorkerCrashed).is_retryable());
        assert!(!OutboxError::from(sqlx::Error::RowNotFound).is_retryable());
    }
}
