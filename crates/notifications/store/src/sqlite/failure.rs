use internal_notifications_models::InvalidId;

use crate::{StoreError, StoreErrorKind};

/// Why the database did not do it, in a form that every caller of a shared transaction can be told.
///
/// SQLite's texts name tables and columns, never values.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    kind: StoreErrorKind,
    is_io: bool,
    cause: String,
}

impl Failure {
    pub(super) fn unusable(cause: impl Into<String>) -> Self {
        Self { kind: StoreErrorKind::Unusable, is_io: false, cause: cause.into() }
    }

    pub(super) fn error(&self) -> StoreError {
        StoreError::new(self.kind).with_cause(self.cause.clone())
    }

    /// Whether the operating system refused something, and nothing says what is wrong.
    pub(super) fn is_io(&self) -> bool {
        self.is_io
    }

    /// Whether the operator can be told what to do.
    pub(super) fn is_of_the_disk(&self) -> bool {
        matches!(self.kind, StoreErrorKind::DiskFull | StoreErrorKind::ReadOnly)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let (kind, is_io) = match &error {
            sqlx::Error::Database(database) => kind(database.code().as_deref()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => (StoreErrorKind::Unusable, false),
            _ => (StoreErrorKind::Unavailable, false),
        };
        Self { kind, is_io, cause: error.to_string() }
    }
}

/// What a result code means, and whether it is an I/O error. The primary code is the low byte of the extended one:
/// <https://sqlite.org/rescode.html>.
fn kind(code: Option<&str>) -> (StoreErrorKind, bool) {
    const READ_ONLY: u32 = 8;
    const IO: u32 = 10;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const NOT_A_DATABASE: u32 = 26;
    // No room for what the connections share.
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

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        // serde_json's own text may quote what it read.
        Self::unusable(format!("a stored text is not what it should be ({:?})", error.classify()))
    }
}

impl From<InvalidId> for Failure {
    fn from(error: InvalidId) -> Self {
        Self::unusable(format!("a stored id is malformed: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrupt_file_is_unusable_and_a_full_or_read_only_disk_passes() {
        for (code, expected) in [
            (Some("11"), (StoreErrorKind::Unusable, false)),
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
            assert_eq!(kind(code), expected, "{code:?}");
            assert_eq!(StoreError::new(expected.0).is_retryable(), expected.0 != StoreErrorKind::Unusable);
        }
    }
}
