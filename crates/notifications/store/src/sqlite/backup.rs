use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::{NamedTempFile, PersistError};

use crate::{StoreError, StoreErrorKind};

/// How long to wait for another process that has locked the database.
const BUSY: Duration = Duration::from_secs(5);

/// Copies a consistent state of a database into the file `to`, and returns its size in bytes.
///
/// A server may have the database open. It is not blocked, but its write-ahead log grows meanwhile.
/// Only the owner can read the copy. It is synced to disk, and appears complete or not at all.
///
/// # Errors
/// Returns [`StoreErrorKind::Unusable`] if there is no database; if `to` exists and `replace` is
/// false, is the database itself, or is a database that another process may have open; or if the
/// copy cannot be written.
pub async fn backup(database: &Path, to: &Path, replace: bool) -> Result<u64, StoreError> {
    let (database, folder) = check(database, to, replace)?;
    let cannot_write = || failed(format!("cannot write {}", to.display()));
    // Created with mode 0600, and deleted if this call fails.
    let copy = tempfile::Builder::new().prefix(".internal-notifications-backup-").tempfile_in(&folder);
    let copy = copy.map_err(|error| cannot_write().with_source(error))?;
    copy_into(&database, copy.path())
        .await
        .map_err(|error| failed(format!("cannot copy {}", database.display())).with_source(error))?;
    let target = to.to_owned();
    let persisted = tokio::task::spawn_blocking(move || persist(copy, &target, &folder, replace)).await;
    match persisted.map_err(|error| cannot_write().with_source(error))? {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(to)),
        persisted => persisted.map_err(|error| cannot_write().with_source(error)),
    }
}

/// Returns the absolute paths of the database and of the folder of `to`.
fn check(database: &Path, to: &Path, replace: bool) -> Result<(PathBuf, PathBuf), StoreError> {
    let Ok(database) = database.canonicalize() else {
        return Err(failed(format!("there is no database {}", database.display())));
    };
    match to.canonicalize() {
        Ok(there) if there == database => {
            return Err(failed(format!("{} is the database itself; name another file", to.display())));
        }
        Ok(_) if !replace => return Err(exists(to)),
        _ => {}
    }
    // SQLite would apply such a log to the copy.
    let log = ["-wal", "-journal"].map(|suffix| super::file::beside(to, suffix));
    if let Some(log) = log.iter().find(|log| log.exists()) {
        return Err(failed(format!(
            "there is {}, so a server may have {} open; name another file",
            log.display(),
            to.display()
        )));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match folder.canonicalize() {
        Ok(folder) => Ok((database, folder)),
        Err(error) => Err(failed(format!("cannot find {}", folder.display())).with_source(error)),
    }
}

/// Copies with `VACUUM INTO` (<https://sqlite.org/lang_vacuum.html>). In WAL mode, its read
/// transaction blocks nobody.
async fn copy_into(database: &Path, copy: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let copy = copy.to_str().ok_or("the path of the folder is not UTF-8")?.to_owned();
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(false).read_only(true);
    let mut connection = options.busy_timeout(BUSY).disable_statement_logging().connect().await?;
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'inboxes'";
    if sqlx::query(sql).fetch_optional(&mut connection).await?.is_none() {
        return Err("the database contains no inboxes".into());
    }
    sqlx::query("VACUUM INTO ?1").bind(copy).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

fn persist(copy: NamedTempFile, to: &Path, folder: &Path, replace: bool) -> io::Result<u64> {
    copy.as_file().sync_all()?;
    let of_rename = |error: PersistError| error.error;
    let file = match replace {
        true => copy.persist(to).map_err(of_rename)?,
        false => copy.persist_noclobber(to).map_err(of_rename)?,
    };
    // Syncing the folder makes the name durable.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(file.metadata()?.len())
}

fn exists(to: &Path) -> StoreError {
    failed(format!("{} exists; name another file, or replace it with --force", to.display()))
}

fn failed(message: String) -> StoreError {
    StoreError::new(StoreErrorKind::Unusable).with_message(message)
}
