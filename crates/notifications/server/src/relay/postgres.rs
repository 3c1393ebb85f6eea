use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_outbox::{Outbox, postgres::CHANNEL};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::failure::Failure;
use super::raw_row::{BODY_BYTES, RawRow, USER_IDS_BYTES, decode, taken_together};
use super::source::{IntentSource, PendingIntent, SettledIntent, SourceError};
use crate::backoff::Backoff;
use crate::store::postgres::PostgresUrl;

/// How often the table is polled even without a notification.
const POLL: Duration = Duration::from_secs(1);
/// How long one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// If this server vanishes from the network, the database releases its rows, well after the end of
/// a round.
///
/// Settling does not wait for the disk: the pushes are already stored, and an intent that a crash
/// of the database brings back is pushed again, which changes nothing.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '60s'; SET statement_timeout = '10s';
    SET synchronous_commit = off";
const HAS_TABLE: &str = "SELECT to_regclass('internal_notifications_intents') IS NOT NULL";
/// Locks the table, and finds the oldest rows with the bytes that they take.
const FIND: &str = "SELECT key, least(octet_length(user_ids), $2) + least(octet_length(body), $3)
    FROM internal_notifications_intents
    WHERE failed IS NULL AND key <> ALL($5)
        AND (SELECT pg_try_advisory_xact_lock($4, 'internal_notifications_intents'::regclass::oid::integer))
    ORDER BY key LIMIT $1";
const TAKE: &str = "SELECT key, convert_to(left(id, 200), 'UTF8'), convert_to(left(sender, 200), 'UTF8'),
        CASE WHEN octet_length(user_ids) <= $2 THEN convert_to(user_ids, 'UTF8') END,
        CASE WHEN octet_length(body) <= $3 THEN convert_to(body, 'UTF8') END
    FROM internal_notifications_intents
    WHERE key = ANY($1) AND failed IS NULL ORDER BY key FOR UPDATE SKIP LOCKED";
/// The first key of the lock on a table, of which the second is the table's oid.
const LOCK: i32 = 0x696e_626f;
const DELETE: &str = "DELETE FROM internal_notifications_intents WHERE key = ANY($1)";
const FAIL: &str = "UPDATE internal_notifications_intents i SET failed = f.reason
    FROM unnest($1::bigint[], $2::text[]) f (key, reason) WHERE i.key = f.key";

/// The intents in a PostgreSQL database, in the table that the role finds on its `search_path`.
///
/// A transaction locks the table's intents until those that it takes are settled. Meanwhile, other
/// servers find none, so that no intent overtakes an earlier one.
pub(super) struct PostgresIntents {
    url: PostgresUrl,
    name: String,
    creates_table: bool,
    connection: Option<PgConnection>,
    notified: Arc<Notify>,
    /// The task that listens, once there was a connection.
    listening: JoinSet<()>,
}

impl PostgresIntents {
    /// Uses this database. With `creates_table`, the table need not exist.
    pub(super) fn new(url: PostgresUrl, creates_table: bool) -> Self {
        let (notified, listening) = (Arc::default(), JoinSet::new());
        Self { name: url.redacted(), url, creates_table, connection: None, notified, listening }
    }

    fn options(&self) -> Result<PgConnectOptions, Failure> {
        let options = self.url.as_str().parse::<PgConnectOptions>()?;
        Ok(options.application_name("internal-notifications relay").disable_statement_logging())
    }

    async fn connected(&mut self) -> Result<&mut PgConnection, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn connect(&mut self) -> Result<PgConnection, Failure> {
        let options = self.options()?;
        let mut connection = options.connect().await?;
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
        let has_table: bool = sqlx::query_scalar(HAS_TABLE).fetch_one(&mut connection).await?;
        if self.creates_table && !has_table {
            Outbox::create_table(&mut connection)
                .await
                .map_err(|error| SourceError::new("the outbox table cannot be created").with_source(error))?;
        }
        if let Some(Err(error)) = self.listening.try_join_next() {
            return Err(SourceError::new("the task that listens for intents ended")
                .with_source(error)
                .into());
        }
        if self.listening.is_empty() {
            self.listening.spawn(listen(options, self.notified.clone()));
        }
        Ok(connection)
    }

    async fn read(&mut self, limit: usize, resting: &[i64]) -> Result<Vec<PendingIntent>, Failure> {
        let connection = self.connected().await?;
        sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
        let sizes = sqlx::query_as(FIND).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let sizes = sizes.bind(USER_IDS_BYTES).bind(BODY_BYTES).bind(LOCK).bind(resting);
        let keys = taken_together(sizes.fetch_all(&mut *connection).await?);
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query_as::<_, RawRow>(TAKE).bind(keys).bind(USER_IDS_BYTES).bind(BODY_BYTES);
        let rows = rows.fetch_all(connection).await?;
        Ok(rows.into_iter().map(decode).collect())
    }

    async fn write(&mut self, settled: Vec<SettledIntent>) -> Result<(), Failure> {
        let connection = self.connected().await?;
        let (mut done, mut refused, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
        for SettledIntent { key, failed } in settled {
            match failed {
                Some(reason) => {
                    refused.push(key);
                    reasons.push(reason);
                }
                None => done.push(key),
            }
        }
        if !done.is_empty() {
            sqlx::query(DELETE).bind(done).execute(&mut *connection).await?;
        }
        if !refused.is_empty() {
            sqlx::query(FAIL).bind(refused).bind(reasons).execute(&mut *connection).await?;
        }
        sqlx::raw_sql("COMMIT").execute(connection).await?;
        Ok(())
    }

    /// Drops the connection, and with it its transaction, after an error.
    fn checked<T>(&mut self, done: Result<Result<T, Failure>, Elapsed>) -> Result<T, SourceError> {
        let done = done.unwrap_or_else(|_| Err(SourceError::new("the database does not answer").into()));
        done.map_err(|Failure(error)| {
            self.connection = None;
            error
        })
    }
}

#[async_trait]
impl IntentSource for PostgresIntents {
    fn name(&self) -> &str {
        &self.name
    }

    async fn take(&mut self, limit: usize, resting: &[i64]) -> Result<Vec<PendingIntent>, SourceError> {
        let intents = timeout(CALL_TIMEOUT, self.read(limit, resting)).await;
        self.checked(intents)
    }

    async fn settle(&mut self, settled: Vec<SettledIntent>) -> Result<(), SourceError> {
        let written = timeout(CALL_TIMEOUT, self.write(settled)).await;
        self.checked(written)
    }

    async fn changed(&mut self) {
        let _ = timeout(POLL, self.notified.notified()).await;
    }

    async fn close(self: Box<Self>) {
        if let Some(connection) = self.connection {
            let _ = timeout(CALL_TIMEOUT, connection.close()).await;
        }
    }
}

/// Listens for notifications. It has its own connection, so that it receives each notification at
/// once and the database need not queue them.
async fn listen(options: PgConnectOptions, news: Arc<Notify>) {
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let pool = pool.connect_lazy_with(options);
    let mut backoff = Backoff::default();
    loop {
        // While this fails, rows are found by polling.
        let _ = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(CHANNEL).await?;
            loop {
                listener.recv().await?;
                backoff.reset();
                news.notify_one();
            }
            #[allow(unreachable_code, reason = "it determines the error type")]
            Ok::<(), sqlx::Error>(())
        }
        .await;
        tokio::time::sleep(backoff.next()).await;
    }
}

impl fmt::Debug for PostgresIntents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresIntents").field("name", &self.name).finish_non_exhaustive()
    }
}
