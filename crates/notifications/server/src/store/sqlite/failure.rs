use internal_notifications_models::InvalidId;

use crate::store::{StoreError, StoreErrorKind};

/// Why the database did not do it, in a form that every caller of a shared transaction can be told.
///
/// SQLite's texts name tables and columns, never values.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    kind: StoreErrorKind,
    cause: String,
}

impl Failure {
    pub(super) fn unusable(cause: impl Into<String>) -> Self {
        Self { kind: StoreErrorKind::Unusable, cause: cause.into() }
    }

    pub(super) fn error(&self) -> StoreError {
        StoreError::new(self.kind).with_cause(self.cause.clone())
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let kind = match &error {
            sqlx::Error::Database(database) => kind(database.code().as_deref()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreErrorKind::Unusable,
            _ => StoreErrorKind::Unavailable,
        };
        Self { kind, cause: error.to_string() }
    }
}

/// The primary code is the low byte of the extended one: <https://sqlite.org/rescode.html>.
fn kind(code: Option<&str>) -> StoreErrorKind {
    const CORRUPT: u32 = 11;
    const NOT_A_DATABASE: u32 = 26;
    match code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff) {
        Some(CORRUPT | NOT_A_DATABASE) => StoreErrorKind::Unusable,
        _ => StoreErrorKind::Unavailable,
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
    fn a_corrupt_file_is_unusable_and_a_full_disk_passes() {
        assert_eq!(kind(Some("11")), StoreErrorKind::Unusable);
        assert_eq!(kind(Some("267")), StoreErrorKind::Unusable);
        for code in [Some("5"), Some("13"), Some("778"), Some("x"), None] {
            assert_eq!(kind(code), StoreErrorKind::Unavailable, "{code:?}");
        }
    }
}
