use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::store::{StoreError, StoreErrorKind};

/// The database's file, claimed for this process.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    /// Held, not used: the lock ends with it.
    _lock: File,
}

impl DatabaseFile {
    /// Makes the file when it is missing, and locks the one beside it.
    pub(super) fn claim(url: &str) -> Result<Self, StoreError> {
        let named = path_of(url)?;
        private_file(&named)
            .map_err(|error| unusable(format!("cannot open the file {}: {error}", named.display())))?;
        // The lock stands beside the file itself, whatever links lead to it.
        let path = named
            .canonicalize()
            .map_err(|error| unusable(format!("cannot find the file {}: {error}", named.display())))?;
        let lock = lock(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// Absolute, so that SQLite takes it neither for a URI nor for a name of its own.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.strip_prefix("sqlite:").map_or(url, |rest| rest.strip_prefix("//").unwrap_or(rest));
    if path.is_empty() || path.contains(":memory:") || path.contains("mode=memory") {
        return Err(unusable(
            "an in-memory database would lose what was acknowledged; name a file: sqlite://PATH",
        ));
    }
    if path.contains('?') {
        return Err(unusable("a database URL is sqlite://PATH, without parameters"));
    }
    if path.contains('\0') {
        return Err(unusable("a path has no NUL characters"));
    }
    Ok(PathBuf::from(path))
}

fn lock(database: &Path) -> Result<File, StoreError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let file = private_file(&path)
        .map_err(|error| unusable(format!("cannot open the lock {}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(unusable(format!("another server has {} open; stop it first", database.display())))
        }
        Err(TryLockError::Error(error)) => Err(unusable(format!("cannot lock {}: {error}", path.display()))),
    }
}

/// SQLite gives the files that it puts beside the database (`-wal`, `-shm`) the mode of the database.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn unusable(cause: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Unusable).with_cause(cause.into())
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
            let error = path_of(url).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unusable, "{url}");
            assert!(error.to_string().contains("in-memory"), "{error}");
        }
        assert!(path_of("sqlite://a.db?mode=rwc").unwrap_err().to_string().contains("without parameters"));
        assert!(path_of("a\0b").is_err());
    }
}
