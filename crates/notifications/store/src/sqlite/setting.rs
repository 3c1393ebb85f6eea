use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use crate::sql::failure::Failure;
use crate::store_time::RECORDED_TIME;
use crate::{StoreError, StoreTime};

/// Returns the setting with this name, or `None` if it, or the file, does not exist.
///
/// A server may have the file open. Nothing is created or written.
///
/// # Errors
/// Returns an error if the file cannot be read or is not a database.
pub async fn read_setting(path: &Path, name: &str) -> Result<Option<String>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    read(path, name).await.map_err(StoreError::from)
}

async fn read(path: &Path, name: &str) -> Result<Option<String>, Failure> {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging()
        .connect()
        .await?;
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'settings'";
    let table: Option<i64> = sqlx::query_scalar(sql).fetch_optional(&mut connection).await?;
    let value = match table {
        Some(_) => {
            let sql = "SELECT value FROM settings WHERE name = ?1";
            sqlx::query_scalar(sql).bind(name.to_owned()).fetch_optional(&mut connection).await?
        }
        None => None,
    };
    connection.close().await?;
    Ok(value)
}

/// Returns the setting with this name, after storing `value` if there is none.
pub(super) async fn get_or_insert(
    connection: &mut SqliteConnection,
    name: &str,
    value: &str,
) -> Result<String, Failure> {
    let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    sqlx::query(sql).bind(name.to_owned()).bind(value.to_owned()).execute(&mut *connection).await?;
    let sql = "SELECT value FROM settings WHERE name = ?1";
    Ok(sqlx::query_scalar(sql).bind(name.to_owned()).fetch_one(connection).await?)
}

/// Returns the recorded time.
pub(super) async fn recorded_time(readers: &SqlitePool) -> Result<StoreTime, Failure> {
    let sql = "SELECT value FROM settings WHERE name = ?1";
    let value: Option<String> = sqlx::query_scalar(sql).bind(RECORDED_TIME).fetch_optional(readers).await?;
    Ok(StoreTime::parse(None, value.as_deref()))
}

pub(super) async fn record_time(connection: &mut SqliteConnection, value: &str) -> Result<(), Failure> {
    let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let query = sqlx::query(sql).bind(RECORDED_TIME).bind(value.to_owned());
    query.execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{SqliteOptions, SqliteStore};
    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn a_setting_can_be_read_while_the_store_is_open_and_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        assert_eq!(read_setting(&path, "a").await.unwrap(), None);
        assert!(!path.exists());
        let store = SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).await.unwrap();
        store.get_or_insert_setting("a", "value".into()).await.unwrap();
        assert_eq!(read_setting(&path, "a").await.unwrap().as_deref(), Some("value"));
        assert_eq!(read_setting(&path, "b").await.unwrap(), None);
        store.close().await;
        assert_eq!(read_setting(&path, "a").await.unwrap().as_deref(), Some("value"));
    }

    #[tokio::test]
    async fn an_empty_file_has_no_settings_and_a_corrupt_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, "").unwrap();
        assert_eq!(read_setting(&path, "a").await.unwrap(), None);
        std::fs::write(&path, "no database, but long enough to have a header".repeat(100)).unwrap();
        assert!(read_setting(&path, "a").await.is_err());
    }
}
