use std::fmt;

use internal_notifications_models::{InvalidNotification, InvalidPush};

/// Why an intent was not written.
#[derive(Debug)]
pub struct OutboxError {
    kind: OutboxErrorKind,
    problem: String,
    database: Option<sqlx::Error>,
}

/// The kinds of [`OutboxError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutboxErrorKind {
    /// The name of the outbox.
    Name,
    /// Nobody, or too many.
    Recipients,
    /// No content, a name that the server owns, nested too deep, over before it begins.
    Notification,
    /// More bytes than a server takes.
    TooLarge,
    /// The database did not do it, and says why as the error's source. On PostgreSQL the transaction is over.
    Database,
}

impl OutboxError {
    pub(crate) fn new(kind: OutboxErrorKind, problem: impl Into<String>) -> Self {
        Self { kind, problem: problem.into(), database: None }
    }

    /// What is wrong.
    pub fn kind(&self) -> OutboxErrorKind {
        self.kind
    }

    /// Whether the whole transaction may succeed when it is run again, from its begin: the connection was lost, the database was busy, or it
    /// chose this transaction to give way to another.
    pub fn is_retryable(&self) -> bool {
        match &self.database {
            Some(sqlx::Error::Database(error)) => error.code().is_some_and(|code| passes(&code)),
            Some(error) => {
                use sqlx::Error::{Io, PoolTimedOut, WorkerCrashed};
                matches!(error, Io(_) | PoolTimedOut | WorkerCrashed)
            }
            None => false,
        }
    }
}

/// Whether an error of the database passes by itself.
///
/// PostgreSQL's codes have five characters (<https://www.postgresql.org/docs/current/errcodes-appendix.html>), SQLite's are smaller numbers
/// (<https://sqlite.org/rescode.html>).
fn passes(code: &str) -> bool {
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
        f.write_str(&self.problem)
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
        let problem = "the database did not do it".to_owned();
        Self { kind: OutboxErrorKind::Database, problem, database: Some(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for code in ["40001", "40P01", "57P01", "5", "517", "6", "13"] {
            assert!(passes(code), "{code}");
        }
        for code in ["42P01", "42501", "23505", "1", "11", "2067", "x"] {
            assert!(!passes(code), "{code}");
        }
        assert!(OutboxError::from(sqlx::Error::WorkerCrashed).is_retryable());
        assert!(!OutboxError::from(sqlx::Error::RowNotFound).is_retryable());
    }
}
