use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};

use super::SqliteOptions;
use super::file::DatabaseFile;
use crate::StoreError;
use crate::sql::failure::Failure;

/// Pages that the writer keeps in memory, in KiB (negative: <https://sqlite.org/pragma.html#pragma_cache_size>).
const WRITER_CACHE_KIB: &str = "-65536";
/// The log is copied into the database after this many pages (32 MiB). A checkpoint holds up the writer and syncs twice, and a page that
/// changed often is copied once.
const CHECKPOINT_PAGES: &str = "8192";

/// The one connection that writes.
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

/// Connections that cannot write; opened when they are first needed.
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

/// What a connection says of itself: how it journals, when it syncs, and whether it checks foreign keys.
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

/// Refuses a connection that is not as it was asked to be: a commit would not be on disk when it is done.
async fn check(connection: &mut SqliteConnection) -> Result<(), Failure> {
    let Pragmas { journal_mode, synchronous, foreign_keys } = Pragmas::of(connection).await?;
    if journal_mode != "wal" {
        return Err(Failure::unusable("this file system has no write-ahead log; use a local disk"));
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

/// The file exists: one that vanished must not be replaced by an empty one.
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
        DatabaseFile::claim(&folder.path().join("a.db")).unwrap()
    }

    #[tokio::test]
    async fn every_connection_says_that_it_syncs_each_commit() {
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
        assert_eq!(readers.size(), options.readers, "all of the pool are open at once");
        for reader in &mut all {
            assert_eq!(Pragmas::of(reader).await.unwrap(), asked);
        }
    }

    #[tokio::test]
    async fn a_connection_that_is_not_as_it_was_asked_to_be_is_refused() {
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
            let refused = check(&mut connection).await.unwrap_err().as_error().to_string();
            assert!(refused.contains(named), "{refused}");
        }
        let unlogged =
            connection(&file, &options).filename(folder.path().join("b.db")).create_if_missing(true);
        let mut unlogged = unlogged.connect().await.unwrap();
        let refused = check(&mut unlogged).await.unwrap_err().as_error().to_string();
        assert!(refused.contains("write-ahead log"), "{refused}");
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
