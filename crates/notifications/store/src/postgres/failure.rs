use internal_notifications_models::InvalidId;

use crate::{StoreError, StoreErrorKind};

/// Why the database did not do it.
///
/// Of PostgreSQL's answer only the SQLSTATE is told: its texts may quote what is stored.
#[derive(Debug)]
pub(super) struct Failure {
    kind: StoreErrorKind,
    cause: String,
    /// Whether nothing was stored and the same may go well at once.
    passing: bool,
}

impl Failure {
    pub(super) fn unusable(cause: impl Into<String>) -> Self {
        Self { kind: StoreErrorKind::Unusable, cause: cause.into(), passing: false }
    }

    pub(super) fn unavailable(cause: impl Into<String>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, cause: cause.into(), passing: false }
    }

    /// Another transaction came between.
    pub(super) fn overtaken() -> Self {
        Self { passing: true, ..Self::unavailable("other transactions came between") }
    }

    /// It came of a commit: the database may have it, or not.
    pub(super) fn of_commit(self) -> Self {
        Self { passing: false, ..self }
    }

    pub(super) fn is_passing(&self) -> bool {
        self.passing
    }

    /// Whether this connection alone may be why: of a server that was made a replica, say, while another one is the primary now.
    pub(super) fn is_of_connection(&self) -> bool {
        self.kind == StoreErrorKind::ReadOnly
    }

    pub(super) fn error(self) -> StoreError {
        StoreError::new(self.kind).with_cause(self.cause)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => match database.code() {
                Some(state) => of_state(&state),
                None => Self::unavailable("PostgreSQL did not do it"),
            },
            sqlx::Error::ColumnDecode { index, .. } => {
                Self::unusable(format!("the column {index} holds what it should not"))
            }
            sqlx::Error::Decode(_) => Self::unusable("a column holds what it should not"),
            sqlx::Error::PoolTimedOut => {
                Self::unavailable("PostgreSQL is not there, or all connections are in use")
            }
            sqlx::Error::PoolClosed => Self::unavailable("the store is closed"),
            sqlx::Error::Io(error) => {
                let cause = format!("the connection to PostgreSQL failed: {error}");
                Self { passing: true, ..Self::unavailable(cause) }
            }
            sqlx::Error::Tls(error) => Self::unavailable(format!("no TLS with PostgreSQL: {error}")),
            sqlx::Error::Configuration(_) => Self::unusable("its URL or files named there cannot be used"),
            sqlx::Error::Protocol(_) => Self::unavailable("PostgreSQL answered what was not expected"),
            _ => Self::unavailable("PostgreSQL did not do it"),
        }
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn of_state(state: &str) -> Failure {
    let kind = match (state, state.get(..2)) {
        ("53100", _) => StoreErrorKind::DiskFull,
        ("25006", _) => StoreErrorKind::ReadOnly,
        (_, Some("28" | "3D" | "3F" | "42" | "XX")) => StoreErrorKind::Unusable,
        _ => StoreErrorKind::Unavailable,
    };
    let what = match state.get(..2) {
        Some("28") => "PostgreSQL refuses the login",
        Some("3D") => "there is no such database",
        Some("42") if state == "42501" => "PostgreSQL does not permit it",
        Some("53") => "PostgreSQL has no room for it",
        Some("57") => "PostgreSQL stopped it",
        _ => "PostgreSQL did not do it",
    };
    let passing = matches!(state, "40001" | "40P01" | "57P01" | "57P02" | "57P03") || state.starts_with("08");
    Failure { kind, cause: format!("{what} (SQLSTATE {state})"), passing }
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
    fn what_passes_is_told_from_what_does_not() {
        for state in ["40001", "40P01", "57P01", "08006"] {
            let failure = of_state(state);
            assert!(failure.is_passing(), "{state}");
            assert_eq!(failure.error().kind(), StoreErrorKind::Unavailable, "{state}");
        }
        for state in ["53300", "57014", "23505", "?"] {
            let failure = of_state(state);
            assert!(!failure.is_passing(), "{state}");
            assert_eq!(failure.error().kind(), StoreErrorKind::Unavailable, "{state}");
        }
        assert_eq!(of_state("53100").error().kind(), StoreErrorKind::DiskFull);
        assert_eq!(of_state("25006").error().kind(), StoreErrorKind::ReadOnly);
        for state in ["28P01", "3D000", "42P01", "XX001"] {
            assert_eq!(of_state(state).error().kind(), StoreErrorKind::Unusable, "{state}");
        }
    }
}
