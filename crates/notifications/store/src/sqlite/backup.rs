use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::{NamedTempFile, PersistError};

use crate::{StoreError, StoreErrorKind};

/// How long to wait for a process that has the whole database locked.
const BUSY: Duration = Duration::from_secs(5);

/// Copies a database as it is at one moment into the file `to`, while a server may be running on it, and tells how many bytes it has.
///
/// The copy is one file, readable by its owner alone, synced to disk, and there whole or not at all: it is written beside `to` under another
/// name first. The server is not held up; its write-ahead log grows as long as the copying lasts.
///
/// # Errors
/// There is no database; `to` exists and is not to be replaced, is the database itself, or is a database that somebody may have open; the
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

/// The database and the folder of `to`, absolute, so that SQLite takes them neither for a URI nor for a name of its own.
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
    // SQLite would put such a log into the copy.
    let log = ["-wal", "-journal"].map(|suffix| super::file::beside(to, suffix));
    if let Some(log) = log.iter().find(|log| log.exists()) {
        return Err(failed(format!(
            "there is {}: {} is a database that a server may have open; name another file",
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

/// `VACUUM INTO`: <https://sqlite.org/lang_vacuum.html>. It reads in one transaction, which in WAL mode holds up nobody.
async fn copy_into(database: &Path, copy: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let copy = copy.to_str().ok_or("the name of the folder is not UTF-8")?.to_owned();
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(false).read_only(true);
    let mut connection = options.busy_timeout(BUSY).disable_statement_logging().connect().await?;
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'inboxes'";
    if sqlx::query(sql).fetch_optional(&mut connection).await?.is_none() {
        return Err("it holds no inboxes".into());
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
    // The name is synced with its folder.
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
