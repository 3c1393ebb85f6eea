use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};

use super::SqliteOptions;
use super::failure::Failure;
use super::file::DatabaseFile;

/// Pages that the writer keeps in memory, in KiB (negative: <https://sqlite.org/pragma.html#pragma_cache_size>).
const WRITER_CACHE_KIB: &str = "-65536";
/// The log is copied into the database after this many pages (32 MiB). A checkpoint holds up the writer and syncs twice, and a page that
/// changed often is copied once.
const CHECKPOINT_PAGES: &str = "8192";

/// The one connection that writes. It checks that a commit will be on disk when it is done.
pub(super) async fn writer(
    file: &DatabaseFile,
    options: &SqliteOptions,
) -> Result<SqliteConnection, Failure> {
    let mut connection = connection(file, options)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", WRITER_CACHE_KIB)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .connect()
        .await?;
    let (journal, synchronous) = durability(&mut connection).await?;
    if journal != "wal" || synchronous < 2 {
        return Err(Failure::unusable("this file system has no write-ahead log; use a local disk"));
    }
    Ok(connection)
}

async fn durability(connection: &mut SqliteConnection) -> Result<(String, i64), Failure> {
    let journal = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    let synchronous = sqlx::query_scalar("PRAGMA synchronous").fetch_one(connection).await?;
    Ok((journal, synchronous))
}

/// Connections that cannot write; opened when they are first needed.
pub(super) fn readers(file: &DatabaseFile, options: &SqliteOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(options.readers)
        .max_lifetime(None)
        .idle_timeout(None)
        .test_before_acquire(false)
        .connect_lazy_with(connection(file, options).read_only(true))
}

/// The file exists: one that vanished must not be replaced by an empty one.
fn connection(file: &DatabaseFile, options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file.path())
        .create_if_missing(false)
        .busy_timeout(options.busy_timeout)
        .disable_statement_logging()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_commit_of_the_writer_is_synced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let file = DatabaseFile::claim(&path).unwrap();
        let mut connection = writer(&file, &SqliteOptions::default()).await.unwrap();
        assert_eq!(durability(&mut connection).await.unwrap(), ("wal".to_owned(), 2));
        let foreign_keys: i64 =
            sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut connection).await.unwrap();
        assert_eq!(foreign_keys, 1);
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let file = DatabaseFile::claim(&path).unwrap();
        let _writer = writer(&file, &SqliteOptions::default()).await.unwrap();
        let readers = readers(&file, &SqliteOptions::default());
        let error = sqlx::query("CREATE TABLE t (a)").execute(&readers).await.unwrap_err();
        assert!(error.to_string().contains("readonly"), "{error}");
    }
}
