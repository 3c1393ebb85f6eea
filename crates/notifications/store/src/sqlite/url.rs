use std::path::PathBuf;

use crate::{StoreError, StoreErrorKind};

/// Returns the file that a database URL names: `sqlite://PATH`, `sqlite:PATH` or just a path.
///
/// # Errors
/// Returns [`StoreErrorKind::Unusable`] if the URL names an in-memory database, has parameters, or
/// has no valid path.
pub fn path_from_url(url: &str) -> Result<PathBuf, StoreError> {
    let invalid = |message| Err(StoreError::new(StoreErrorKind::Unusable).with_message(message));
    let path = url.strip_prefix("sqlite:").map_or(url, |rest| rest.strip_prefix("//").unwrap_or(rest));
    if path.is_empty() || path.contains(":memory:") || path.contains("mode=memory") {
        return invalid("an in-memory database would lose acknowledged notifications; use sqlite://PATH");
    }
    if path.contains('?') {
        return invalid("a SQLite URL takes no parameters; use sqlite://PATH");
    }
    if path.contains('\0') {
        return invalid("a path must not contain NUL characters");
    }
    Ok(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_or_a_path_names_a_file() {
        for (url, path) in [
            ("sqlite://a.db", "a.db"),
            ("sqlite:a.db", "a.db"),
            ("sqlite:///var/lib/a.db", "/var/lib/a.db"),
            ("sqlite://./a b.db", "./a b.db"),
            ("a.db", "a.db"),
        ] {
            assert_eq!(path_from_url(url).unwrap(), PathBuf::from(path), "{url}");
        }
    }

    #[test]
    fn in_memory_databases_and_parameters_are_rejected() {
        for url in [
            "",
            "sqlite:",
            "sqlite://",
            ":memory:",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://file::memory:?cache=shared",
            "sqlite://a?mode=memory",
        ] {
            let error = path_from_url(url).unwrap_err().to_string();
            assert!(error.contains("in-memory"), "{error}");
        }
        let error = path_from_url("sqlite://a.db?mode=rwc").unwrap_err().to_string();
        assert!(error.contains("no parameters"), "{error}");
        assert!(path_from_url("a\0b").is_err());
    }
}
