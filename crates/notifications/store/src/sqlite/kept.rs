use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnectOptions;

use crate::StoreError;
use crate::sql::failure::Failure;

/// A setting as it is stored, read beside a server that may have the file open. Nothing is made or written; none where there is no file.
///
/// # Errors
/// The file is no database, or cannot be read.
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

#[cfg(test)]
mod tests {
    use super::super::{SqliteOptions, SqliteStore};
    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn a_setting_is_read_beside_the_server_and_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        assert_eq!(read_setting(&path, "a").await.unwrap(), None);
        assert!(!path.exists());
        let store = SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).await.unwrap();
        store.get_or_insert_setting("a", "made".into()).await.unwrap();
        assert_eq!(read_setting(&path, "a").await.unwrap().as_deref(), Some("made"));
        assert_eq!(read_setting(&path, "b").await.unwrap(), None);
        store.close().await;
        assert_eq!(read_setting(&path, "a").await.unwrap().as_deref(), Some("made"));
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_of_ours_holds_none_or_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, "").unwrap();
        assert_eq!(read_setting(&path, "a").await.unwrap(), None);
        std::fs::write(&path, "no database, but long enough to have a header".repeat(100)).unwrap();
        assert!(read_setting(&path, "a").await.is_err());
    }
}
