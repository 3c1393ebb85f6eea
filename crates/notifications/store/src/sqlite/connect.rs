use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};

use super::file::DatabaseFile;
use super::options::SqliteOptions;
use crate::StoreError;
use crate::sql::failure::Failure;

/// The page cache of the writer in KiB, negated:
/// <https://sqlite.org/pragma.html#pragma_cache_size>.
const WRITER_CACHE_KIB: &str = "-65536";
/// The pages of the write-ahead log after which it is copied into the database (32 MiB).
///
/// A checkpoint blocks the writer and syncs twice, and copies a page that changed often only once.
const CHECKPOINT_PAGES: &str = "8192";

/// Opens the one connection that writes.
pub(super) async fn writer(
    file: &DatabaseFile,
    options: &SqliteOptions,
) -> Result<SqliteConnection, Failure> {
    let mut connection = connection(file, options)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("cache_size", WRITER_CACHE_KIB)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .connect()
        .await?;
    check(&mut connection).await?;
    Ok(connection)
}

/// Creates the pool of read-only connections, which are opened when first needed.
pub(super) fn readers(file: &DatabaseFile, options: &SqliteOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(options.readers)
        .max_lifetime(None)
        .idle_timeout(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async {
                check(connection)
                    .await
                    .map_err(|failure| sqlx::Error::Configuration(StoreError::from(failure).into()))
            })
        })
        .connect_lazy_with(connection(file, options).read_only(true))
}

/// The settings of a connection on which durability depends.
#[derive(Debug, PartialEq, Eq)]
struct Pragmas {
    journal_mode: String,
    synchronous: i64,
    foreign_keys: i64,
}

impl Pragmas {
    async fn of(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        Ok(Self {
            journal_mode: sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?,
            synchronous: sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await?,
            foreign_keys: sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(connection).await?,
        })
    }
}

/// Rejects a connection whose settings differ from the requested ones: its commits might not be
/// durable.
async fn check(connection: &mut SqliteConnection) -> Result<(), Failure> {
    let Pragmas { journal_mode, synchronous, foreign_keys } = Pragmas::of(connection).await?;
    if journal_mode != "wal" {
        return Err(Failure::unusable(
            "this file system does not support a write-ahead log; use a local disk",
        ));
    }
    match (synchronous, foreign_keys) {
        (FULL, 1) => Ok(()),
        _ => Err(Failure::unusable(format!(
            "a connection has synchronous = {synchronous} and foreign_keys = {foreign_keys}"
        ))),
    }
}

/// `PRAGMA synchronous`: <https://sqlite.org/pragma.html#pragma_synchronous>.
const FULL: i64 = 2;

/// Returns options for an existing file. A file that vanished must not be replaced by an empty one.
fn connection(file: &DatabaseFile, options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file.path())
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .disable_statement_logging()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir) -> DatabaseFile {
        DatabaseFile::lock(&folder.path().join("a.db")).unwrap()
    }

    #[tokio::test]
    async fn every_connection_syncs_each_commit() {
        let folder = tempfile::tempdir().unwrap();
        let (file, options) = (file(&folder), SqliteOptions::default());
        let mut writer = writer(&file, &options).await.unwrap();
        let asked = Pragmas { journal_mode: "wal".to_owned(), synchronous: 2, foreign_keys: 1 };
        assert_eq!(Pragmas::of(&mut writer).await.unwrap(), asked);
        let readers = readers(&file, &options);
        let mut all = Vec::new();
        for _ in 0..options.readers {
            all.push(readers.acquire().await.unwrap());
        }
        assert_eq!(readers.size(), options.readers, "all connections of the pool are open at once");
        for reader in &mut all {
            assert_eq!(Pragmas::of(reader).await.unwrap(), asked);
        }
    }

    #[tokio::test]
    async fn a_connection_with_other_settings_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let (file, options) = (file(&folder), SqliteOptions::default());
        let mut asked = writer(&file, &options).await.unwrap();
        check(&mut asked).await.unwrap();
        for (pragma, named) in [
            ("PRAGMA synchronous = OFF", "synchronous = 0"),
            ("PRAGMA synchronous = NORMAL", "synchronous = 1"),
            ("PRAGMA foreign_keys = OFF", "foreign_keys = 0"),
        ] {
            let mut connection = writer(&file, &options).await.unwrap();
            sqlx::query(pragma).execute(&mut connection).await.unwrap();
            let error = check(&mut connection).await.unwrap_err().as_error().to_string();
            assert!(error.contains(named), "{error}");
        }
        let unlogged =
            connection(&file, &options).filename(folder.path().join("b.db")).create_if_missing(true);
        let mut unlogged = unlogged.connect().await.unwrap();
        let error = check(&mut unlogged).await.unwrap_err().as_error().to_string();
        assert!(error.contains("write-ahead log"), "{error}");
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        let _writer = writer(&file, &SqliteOptions::default()).await.unwrap();
        let readers = readers(&file, &SqliteOptions::default());
        let error = sqlx::query("CREATE TABLE t (a)").execute(&readers).await.unwrap_err();
        assert!(error.to_string().contains("readonly"), "{error}");
    }
}
