use std::path::PathBuf;

/// The file that a database URL names, `sqlite://PATH` or `sqlite:PATH`, or a path alone.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(crate) fn path_of(url: &str) -> Result<PathBuf, &'static str> {
    let path = url.strip_prefix("sqlite:").map_or(url, |rest| rest.strip_prefix("//").unwrap_or(rest));
    if path.is_empty() || path.contains(":memory:") || path.contains("mode=memory") {
        return Err("an in-memory database would lose what was acknowledged; name a file: sqlite://PATH");
    }
    if path.contains('?') {
        return Err("a database URL is sqlite://PATH, without parameters");
    }
    if path.contains('\0') {
        return Err("a path has no NUL characters");
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
            assert_eq!(path_of(url).unwrap(), PathBuf::from(path), "{url}");
        }
    }

    #[test]
    fn memory_is_refused_and_says_why() {
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
            let problem = path_of(url).unwrap_err();
            assert!(problem.contains("in-memory"), "{problem}");
        }
        assert!(path_of("sqlite://a.db?mode=rwc").unwrap_err().contains("without parameters"));
        assert!(path_of("a\0b").is_err());
    }
}
