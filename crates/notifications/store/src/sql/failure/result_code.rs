use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteError;

use super::Failure;
use crate::{StoreError, StoreErrorKind};

/// Converts an error that SQLite reported. Its texts name tables and columns, never stored data.
pub(super) fn failure(error: Box<dyn DatabaseError>) -> Failure {
    let code = error.code();
    let (kind, _) = classify(code.as_deref());
    let is_particular = is_about_data(code.as_deref());
    Failure::from(StoreError::new(kind).with_source(error.into_error())).particular(is_particular)
}

/// Returns whether a result code is about the values of a statement.
fn is_about_data(code: Option<&str>) -> bool {
    const TOO_BIG: u32 = 18;
    const CONSTRAINT: u32 = 19;
    const MISMATCH: u32 = 20;
    let code = code.and_then(|code| code.parse::<u32>().ok());
    matches!(code.map(|code| code & 0xff), Some(TOO_BIG | CONSTRAINT | MISMATCH))
}

impl Failure {
    /// Returns whether SQLite reported an I/O error without further details.
    pub(crate) fn is_io(&self) -> bool {
        let source = self.as_error().source().and_then(|source| source.downcast_ref::<SqliteError>());
        source.is_some_and(|error| classify(error.code().as_deref()).1)
    }
}

/// Returns the kind of error that a result code means, and whether it is an unspecific I/O error.
///
/// The primary code is the low byte of an extended one: <https://sqlite.org/rescode.html>.
fn classify(code: Option<&str>) -> (StoreErrorKind, bool) {
    const READ_ONLY: u32 = 8;
    const IO: u32 = 10;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const NOT_A_DATABASE: u32 = 26;
    // The file that the connections share has no room.
    const IO_SHM_SIZE: u32 = 4874;
    let code = code.and_then(|code| code.parse::<u32>().ok());
    if code == Some(IO_SHM_SIZE) {
        return (StoreErrorKind::DiskFull, false);
    }
    match code.map(|code| code & 0xff) {
        Some(CORRUPT | NOT_A_DATABASE) => (StoreErrorKind::Unusable, false),
        Some(FULL) => (StoreErrorKind::DiskFull, false),
        Some(READ_ONLY) => (StoreErrorKind::ReadOnly, false),
        code => (StoreErrorKind::Unavailable, code == Some(IO)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_about_data_is_of_a_particular_call() {
        // Too big, CHECK, UNIQUE, a trigger, mismatch.
        for code in ["18", "275", "2067", "1811", "20"] {
            assert!(is_about_data(Some(code)), "{code}");
        }
        for code in [Some("5"), Some("8"), Some("10"), Some("11"), Some("13"), Some("4874"), Some("x"), None]
        {
            assert!(!is_about_data(code), "{code:?}");
        }
    }

    #[test]
    fn a_corrupt_file_is_unusable_and_a_full_or_read_only_disk_is_retryable() {
        for (code, expected) in [
            (Some("11"), (StoreErrorKind::Unusable, false)),
            (Some("26"), (StoreErrorKind::Unusable, false)),
            (Some("267"), (StoreErrorKind::Unusable, false)),
            (Some("13"), (StoreErrorKind::DiskFull, false)),
            (Some("4874"), (StoreErrorKind::DiskFull, false)),
            (Some("8"), (StoreErrorKind::ReadOnly, false)),
            (Some("1032"), (StoreErrorKind::ReadOnly, false)),
            (Some("778"), (StoreErrorKind::Unavailable, true)),
            (Some("5"), (StoreErrorKind::Unavailable, false)),
            (Some("x"), (StoreErrorKind::Unavailable, false)),
            (None, (StoreErrorKind::Unavailable, false)),
        ] {
            assert_eq!(classify(code), expected, "{code:?}");
            assert_eq!(StoreError::new(expected.0).is_retryable(), expected.0 != StoreErrorKind::Unusable);
        }
    }
}
