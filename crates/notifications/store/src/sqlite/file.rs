use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::{StoreError, StoreErrorKind};

/// The database's file, claimed for this process.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    /// Held, not used: the lock ends with it.
    _lock: File,
}

impl DatabaseFile {
    /// Makes the file when it is missing, and locks the one beside it.
    pub(super) fn claim(named: &Path) -> Result<Self, StoreError> {
        private_file(named).map_err(failed("cannot open", named))?;
        // The lock stands beside the file itself, whatever links lead to it.
        let path = named.canonicalize().map_err(failed("cannot find", named))?;
        let lock = lock(&path)?;
        for left_behind in ["-wal", "-shm"].map(|suffix| beside(&path, suffix)) {
            make_private(&left_behind).map_err(failed("cannot restrict the permissions of", &left_behind))?;
        }
        Ok(Self { path, _lock: lock })
    }

    /// Absolute, so that SQLite takes it neither for a URI nor for a name of its own.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn lock(database: &Path) -> Result<File, StoreError> {
    let path = beside(database, ".lock");
    let file = private_file(&path).map_err(failed("cannot open the lock file", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another server has {} open; stop it first", database.display());
            Err(StoreError::new(StoreErrorKind::Unusable).with_message(message))
        }
        Err(TryLockError::Error(error)) => Err(failed("cannot lock", &path)(error)),
    }
}

/// The file with this name and a suffix.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// SQLite gives the files that it puts beside the database (`-wal`, `-shm`) the mode of the database.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    make_private(path)?;
    Ok(file)
}

/// Takes from others what they may do with a file that was there already.
#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = match path.metadata() {
        Ok(metadata) if metadata.is_file() => metadata.permissions(),
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if permissions.mode() & 0o077 == 0 {
        return Ok(());
    }
    permissions.set_mode(0o600);
    std::fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let message = format!("{what} {}", path.display());
    |error| StoreError::new(StoreErrorKind::Unusable).with_message(message).with_source(error)
}
