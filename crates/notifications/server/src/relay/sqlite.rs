use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_outbox::Outbox;
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::failure::Failure;
use super::raw_row::{BODY_BYTES, RawRow, USER_IDS_BYTES, decode, taken_together};
use super::source::{IntentSource, PendingIntent, SettledIntent, SourceError};

/// How often the table is polled: one read of an index that contains only the pending intents.
const POLL: Duration = Duration::from_millis(200);
/// How long to wait for an app's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Finds the oldest rows with the bytes that they take.
const FIND: &str = "SELECT key, min(octet_length(user_ids), ?2) + min(octet_length(body), ?3)
    FROM internal_notifications_intents
    WHERE failed IS NULL AND key NOT IN (SELECT value FROM json_each(?4)) ORDER BY key LIMIT ?1";
/// A column of SQLite can hold any type. The casts return all of them as bytes.
const TAKE: &str = "SELECT key, CAST(substr(id, 1, 200) AS BLOB), CAST(substr(sender, 1, 200) AS BLOB),
        CASE WHEN length(CAST(user_ids AS BLOB)) <= ?2 THEN CAST(user_ids AS BLOB) END,
        CASE WHEN length(CAST(body AS BLOB)) <= ?3 THEN CAST(body AS BLOB) END
    FROM internal_notifications_intents
    WHERE key IN (SELECT value FROM json_each(?1)) AND failed IS NULL ORDER BY key";
const DELETE: &str =
    "DELETE FROM internal_notifications_intents WHERE key IN (SELECT value FROM json_each(?1))";
const FAIL: &str = "UPDATE internal_notifications_intents SET failed = ?2 WHERE key = ?1";

/// The intents in a SQLite file.
///
/// SQLite cannot lock rows, and a transaction must not stay open during a push: if the inboxes are
/// in the same file, the push would wait for it. Two servers at one file may both push an intent,
/// which is harmless.
#[derive(Debug)]
pub(super) struct SqliteIntents {
    path: PathBuf,
    name: String,
    creates_table: bool,
    connection: Option<SqliteConnection>,
}

impl SqliteIntents {
    /// Uses this file, which must exist. With `creates_table`, the table need not exist.
    pub(super) fn new(path: &Path, creates_table: bool) -> Self {
        let name = format!("sqlite://{}", path.display());
        Self { path: path.to_owned(), name, creates_table, connection: None }
    }

    async fn connected(&mut self) -> Result<&mut SqliteConnection, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn connect(&self) -> Result<SqliteConnection, Failure> {
        // An absolute path, so that SQLite does not interpret it as a URI or a special name.
        let path = self
            .path
            .canonicalize()
            .map_err(|error| SourceError::new("the database file is missing").with_source(error))?;
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
        let options = options.busy_timeout(BUSY_TIMEOUT).disable_statement_logging();
        if !self.creates_table {
            return Ok(options.connect().await?);
        }
        // The store decides when to copy the write-ahead log, and a lost deletion is only repeated.
        let options = options.synchronous(SqliteSynchronous::Normal).pragma("wal_autocheckpoint", "0");
        let mut connection = options.connect().await?;
        Outbox::create_table(&mut connection)
            .await
            .map_err(|error| SourceError::new("the outbox table cannot be created").with_source(error))?;
        Ok(connection)
    }

    async fn read(&mut self, limit: usize, resting: &[i64]) -> Result<Vec<PendingIntent>, Failure> {
        let connection = self.connected().await?;
        let sizes = sqlx::query_as(FIND).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let sizes = sizes.bind(USER_IDS_BYTES).bind(BODY_BYTES).bind(json!(resting).to_string());
        let keys = taken_together(sizes.fetch_all(&mut *connection).await?);
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query_as::<_, RawRow>(TAKE).bind(json!(keys).to_string());
        let rows = rows.bind(USER_IDS_BYTES).bind(BODY_BYTES).fetch_all(connection).await?;
        Ok(rows.into_iter().map(decode).collect())
    }

    async fn write(&mut self, settled: Vec<SettledIntent>) -> Result<(), Failure> {
        let mut transaction = self.connected().await?.begin_with("BEGIN IMMEDIATE").await?;
        // One statement for all that were pushed, since meanwhile nobody else can write.
        let done: Vec<i64> = settled.iter().filter(|row| row.failed.is_none()).map(|row| row.key).collect();
        if !done.is_empty() {
            sqlx::query(DELETE).bind(json!(done).to_string()).execute(&mut *transaction).await?;
        }
        for SettledIntent { key, failed } in settled.into_iter().filter(|row| row.failed.is_some()) {
            sqlx::query(FAIL).bind(key).bind(failed).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Reconnects after an error, because the file may have been replaced.
    fn checked<T>(&mut self, done: Result<T, Failure>) -> Result<T, SourceError> {
        done.map_err(|Failure(error)| {
            self.connection = None;
            error
        })
    }
}

#[async_trait]
impl IntentSource for SqliteIntents {
    fn name(&self) -> &str {
        &self.name
    }

    async fn take(&mut self, limit: usize, resting: &[i64]) -> Result<Vec<PendingIntent>, SourceError> {
        let intents = self.read(limit, resting).await;
        self.checked(intents)
    }

    async fn settle(&mut self, settled: Vec<SettledIntent>) -> Result<(), SourceError> {
        if settled.is_empty() {
            return Ok(());
        }
        let written = self.write(settled).await;
        self.checked(written)
    }

    async fn changed(&mut self) {
        tokio::time::sleep(POLL).await;
    }

    async fn close(self: Box<Self>) {
        if let Some(connection) = self.connection {
            let _ = connection.close().await;
        }
    }
}
