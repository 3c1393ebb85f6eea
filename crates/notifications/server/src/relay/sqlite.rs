use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_outbox::Outbox;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::source::{BODY_BYTES, Bytes, IntentSource, Settled, SourceError, Taken, USER_IDS_BYTES, cause};

/// How often it looks. One look is a read of an index that holds nothing but what waits.
const LOOK: Duration = Duration::from_millis(200);
/// How long to wait for an app's transaction.
const BUSY: Duration = Duration::from_secs(5);

/// SQLite's columns hold anything: whatever it is, it comes as bytes.
const TAKE: &str = "SELECT key, CAST(substr(id, 1, 200) AS BLOB), CAST(substr(sender, 1, 200) AS BLOB),
        CASE WHEN length(CAST(user_ids AS BLOB)) <= ?2 THEN CAST(user_ids AS BLOB) END,
        CASE WHEN length(CAST(body AS BLOB)) <= ?3 THEN CAST(body AS BLOB) END
    FROM internal_notifications_intents WHERE failed IS NULL ORDER BY key LIMIT ?1";
const DELETE: &str = "DELETE FROM internal_notifications_intents WHERE key = ?1";
const FAIL: &str = "UPDATE internal_notifications_intents SET failed = ?2 WHERE key = ?1";

/// The intents in an SQLite file.
///
/// It cannot lock rows, and must not keep a transaction open while it pushes, for it would wait for itself where the inboxes are in the same
/// file. Two servers at one file may both push an intent, which is harmless.
#[derive(Debug)]
pub(crate) struct SqliteIntents {
    path: PathBuf,
    name: String,
    makes_table: bool,
    connection: Option<SqliteConnection>,
}

impl SqliteIntents {
    /// Those of a file, which must be there; with `makes_table` the table need not be.
    pub(crate) fn new(path: &Path, makes_table: bool) -> Self {
        let name = format!("sqlite://{}", path.display());
        Self { path: path.to_owned(), name, makes_table, connection: None }
    }

    async fn connected(&mut self) -> Result<&mut SqliteConnection, SourceError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn connect(&self) -> Result<SqliteConnection, SourceError> {
        // Absolute, so that SQLite takes it neither for a URI nor for a name of its own.
        let path = self.path.canonicalize().map_err(|error| SourceError::new(error.to_string()))?;
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
        let options = options.busy_timeout(BUSY).disable_statement_logging();
        if !self.makes_table {
            return Ok(options.connect().await?);
        }
        // The store decides when the log is copied; and a deletion that is lost is only done again.
        let options = options.synchronous(SqliteSynchronous::Normal).pragma("wal_autocheckpoint", "0");
        let mut connection = options.connect().await?;
        let made = Outbox::create_table(&mut connection).await;
        made.map_err(|error| SourceError::new(cause(&error)))?;
        Ok(connection)
    }

    async fn taken(&mut self, limit: usize) -> Result<Vec<Taken>, SourceError> {
        let rows = sqlx::query_as::<_, Bytes>(TAKE).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = rows.bind(USER_IDS_BYTES).bind(BODY_BYTES).fetch_all(self.connected().await?).await?;
        Ok(rows.into_iter().map(Taken::of).collect())
    }

    async fn written(&mut self, settled: Vec<Settled>) -> Result<(), SourceError> {
        let mut transaction = self.connected().await?.begin_with("BEGIN IMMEDIATE").await?;
        for Settled { key, failed } in settled {
            let statement = sqlx::query(if failed.is_some() { FAIL } else { DELETE }).bind(key);
            let statement = if failed.is_some() { statement.bind(failed) } else { statement };
            statement.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// After an error the next call begins anew: the file may be another one by then.
    fn checked<T>(&mut self, done: Result<T, SourceError>) -> Result<T, SourceError> {
        if done.is_err() {
            self.connection = None;
        }
        done
    }
}

#[async_trait]
impl IntentSource for SqliteIntents {
    fn name(&self) -> &str {
        &self.name
    }

    async fn take(&mut self, limit: usize) -> Result<Vec<Taken>, SourceError> {
        let taken = self.taken(limit).await;
        self.checked(taken)
    }

    async fn settle(&mut self, settled: Vec<Settled>) -> Result<(), SourceError> {
        if settled.is_empty() {
            return Ok(());
        }
        let written = self.written(settled).await;
        self.checked(written)
    }

    async fn changed(&mut self) {
        tokio::time::sleep(LOOK).await;
    }

    async fn close(self: Box<Self>) {
        if let Some(connection) = self.connection {
            let _ = connection.close().await;
        }
    }
}
