use super::Failure;
use crate::{StoreError, StoreErrorKind};

/// Converts an error that PostgreSQL reported. Only its SQLSTATE is shown, since its texts may
/// quote stored data: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
pub(super) fn failure(sqlstate: Option<&str>) -> Failure {
    let state = sqlstate.unwrap_or("unknown");
    let class = state.get(..2);
    let kind = match (state, class) {
        ("53100", _) => StoreErrorKind::DiskFull,
        ("25006", _) => StoreErrorKind::ReadOnly,
        (_, Some("28" | "3D" | "3F" | "42" | "XX")) => StoreErrorKind::Unusable,
        _ => StoreErrorKind::Unavailable,
    };
    let message = match class {
        Some("28") => "PostgreSQL rejected the login",
        Some("3D") => "the PostgreSQL database does not exist",
        Some("42") if state == "42501" => "the PostgreSQL role lacks a privilege",
        Some("53") => "PostgreSQL has run out of resources",
        Some("57") => "PostgreSQL cancelled the request",
        _ => "PostgreSQL reported an error",
    };
    let error = StoreError::new(kind).with_message(format!("{message} (SQLSTATE {state})"));
    let is_transient =
        matches!(state, "40001" | "40P01" | "57P01" | "57P02" | "57P03") || state.starts_with("08");
    // Cardinality, data, constraint, conflict, `WITH CHECK OPTION`, program limit, and what a
    // trigger raises.
    let is_particular = matches!(class, Some("21" | "22" | "23" | "40" | "44" | "54" | "P0"));
    Failure::from(error).transient(is_transient).particular(is_particular)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_and_lost_connections_are_transient() {
        for state in ["40001", "40P01", "57P01", "57P02", "57P03", "08006"] {
            let failure = failure(Some(state));
            assert!(failure.is_transient(), "{state}");
            assert_eq!(failure.kind(), StoreErrorKind::Unavailable, "{state}");
        }
        for state in [Some("53300"), Some("57014"), Some("23505"), Some("?"), None] {
            let failure = failure(state);
            assert!(!failure.is_transient(), "{state:?}");
            assert_eq!(failure.kind(), StoreErrorKind::Unavailable, "{state:?}");
        }
    }

    #[test]
    fn only_an_error_about_data_is_of_a_particular_call() {
        for state in ["21000", "22021", "23514", "40P01", "44000", "54000", "P0001"] {
            assert!(failure(Some(state)).is_particular(), "{state}");
        }
        for state in
            [Some("08006"), Some("25006"), Some("42P01"), Some("53100"), Some("57014"), Some("57P01"), None]
        {
            assert!(!failure(state).is_particular(), "{state:?}");
        }
    }

    #[test]
    fn the_kind_follows_from_the_sqlstate() {
        assert_eq!(failure(Some("53100")).kind(), StoreErrorKind::DiskFull);
        assert_eq!(failure(Some("25006")).kind(), StoreErrorKind::ReadOnly);
        for state in ["28P01", "3D000", "3F000", "42P01", "XX001"] {
            assert_eq!(failure(Some(state)).kind(), StoreErrorKind::Unusable, "{state}");
        }
    }

    #[test]
    fn the_message_names_the_problem() {
        for (state, expected) in [
            ("28P01", "PostgreSQL rejected the login (SQLSTATE 28P01)"),
            ("3D000", "the PostgreSQL database does not exist (SQLSTATE 3D000)"),
            ("42501", "the PostgreSQL role lacks a privilege (SQLSTATE 42501)"),
            ("42P01", "PostgreSQL reported an error (SQLSTATE 42P01)"),
            ("53300", "PostgreSQL has run out of resources (SQLSTATE 53300)"),
            ("57014", "PostgreSQL cancelled the request (SQLSTATE 57014)"),
        ] {
            assert_eq!(StoreError::from(failure(Some(state))).to_string(), expected);
        }
    }
}
