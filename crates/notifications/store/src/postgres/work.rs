use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use super::PostgresOptions;
use super::transaction::Transaction;
use crate::rules::listener_slot::ListenerSlot;
use crate::sql::failure::Failure;
use crate::{StoreError, StoreErrorKind};

/// How often what failed for a reason that passes is done again.
const REPEATS: u32 = 6;
/// The longest wait before the first repeat; it doubles.
const WAIT: Duration = Duration::from_millis(20);

/// What is read.
pub(super) trait Reading: Sync {
    type Answer: Send;

    fn read(
        &self,
        connection: &mut PgConnection,
    ) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

/// What changes inboxes, in one transaction. It may be done again from the start when the transaction fails.
pub(super) trait Writing: Send + Sync + 'static {
    type Answer: Send + 'static;

    fn write(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> impl Future<Output = Result<Ended<Self::Answer>, Failure>> + Send;
}

/// How a transaction is to end.
pub(super) enum Ended<T> {
    Commit(T),
    /// Nothing is to be stored; this is the answer all the same.
    Rollback(Result<T, StoreError>),
}

/// The connections, and the ways to use them. Every call comes to its end within [`PostgresOptions::with_call_timeout`].
pub(super) struct Database {
    pool: PgPool,
    pub(super) options: PostgresOptions,
    pub(super) listener: ListenerSlot,
    writers: Semaphore,
    /// How often something was done again.
    repeats: AtomicU64,
}

impl Database {
    pub(super) fn new(pool: PgPool, options: PostgresOptions) -> Self {
        let writers = Semaphore::new(options.writers());
        Self { pool, options, listener: ListenerSlot::default(), writers, repeats: AtomicU64::new(0) }
    }

    /// Reads, each statement by itself.
    pub(super) async fn read<R: Reading>(&self, reading: R) -> Result<R::Answer, StoreError> {
        self.repeat(Single(reading)).await
    }

    /// Reads, all of it in one moment.
    pub(super) async fn read_moment<R: Reading>(&self, reading: R) -> Result<R::Answer, StoreError> {
        self.repeat(Moment(reading)).await
    }

    /// Changes inboxes, whether or not the caller still waits.
    pub(super) async fn write<W: Writing>(self: &Arc<Self>, writing: W) -> Result<W::Answer, StoreError> {
        let this = self.clone();
        let done = tokio::spawn(async move { this.repeat(Change(writing)).await });
        done.await.map_err(|_| Failure::unavailable("the server is stopping"))??
    }

    async fn repeat<A: Attempt>(&self, attempt: A) -> Result<A::Answer, StoreError> {
        let deadline = Instant::now() + self.options.call_timeout;
        let mut repeats = 0;
        loop {
            let done = timeout_at(deadline, attempt.attempt(self)).await;
            let failure = match done {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failure)) => failure,
                Err(_) => Failure::unavailable("PostgreSQL did not do it in time"),
            };
            let wait = WAIT.saturating_mul(1 << repeats).mul_f64(rand::random());
            if !failure.is_transient() || repeats == REPEATS || Instant::now() + wait >= deadline {
                return Err(failure.into());
            }
            repeats += 1;
            self.repeats.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(wait).await;
        }
    }

    pub(super) fn retries(&self) -> u64 {
        self.repeats.load(Ordering::Relaxed)
    }

    /// Lets those who are at it finish, and nobody begin.
    pub(super) async fn close(&self) {
        self.writers.close();
        self.pool.close().await;
    }

    async fn session(&self) -> Result<Session, Failure> {
        Ok(Session(Some(self.pool.acquire().await?)))
    }
}

trait Attempt {
    type Answer;

    fn attempt(&self, database: &Database) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

struct Single<R>(R);
struct Moment<R>(R);
struct Change<W>(W);

impl<R: Reading> Attempt for Single<R> {
    type Answer = R::Answer;

    async fn attempt(&self, database: &Database) -> Result<R::Answer, Failure> {
        let mut session = database.session().await?;
        let answer = self.0.read(session.connection()?).await?;
        session.give_back();
        Ok(answer)
    }
}

impl<R: Reading> Attempt for Moment<R> {
    type Answer = R::Answer;

    async fn attempt(&self, database: &Database) -> Result<R::Answer, Failure> {
        let mut session = database.session().await?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut moment = session.connection()?.begin_with(begin).await?;
        let answer = self.0.read(&mut moment).await?;
        moment.commit().await?;
        session.give_back();
        Ok(answer)
    }
}

impl<W: Writing> Attempt for Change<W> {
    type Answer = Result<W::Answer, StoreError>;

    async fn attempt(&self, database: &Database) -> Result<Self::Answer, Failure> {
        let permit = timeout(database.options.acquire_timeout, database.writers.acquire()).await;
        let _permit = permit
            .map_err(|_| Failure::unavailable("too many wait to write"))?
            .map_err(|_| Failure::unavailable("the store is closed"))?;
        let mut session = database.session().await?;
        let mut begun = session.connection()?.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        let mut transaction = Transaction::new(&mut begun, &*database.options.hooks.make_tag);
        match self.0.write(&mut transaction).await {
            Ok(Ended::Commit(answer)) => {
                let changed = transaction.into_changed();
                begun.commit().await.map_err(|error| Failure::from(error).transient(false))?;
                session.give_back();
                database.listener.committed(&changed);
                Ok(Ok(answer))
            }
            Ok(Ended::Rollback(answer)) => {
                begun.rollback().await?;
                session.give_back();
                Ok(answer)
            }
            Err(failure) => {
                if begun.rollback().await.is_ok() && failure.kind() != StoreErrorKind::ReadOnly {
                    session.give_back();
                }
                Err(failure)
            }
        }
    }
}

/// A connection in use. Unless it is given back it is cut: whatever it was at, of a caller who left, or of a database that no longer
/// answers, cannot keep a place in the pool.
struct Session(Option<PoolConnection<Postgres>>);

impl Session {
    fn connection(&mut self) -> Result<&mut PgConnection, Failure> {
        self.0.as_deref_mut().ok_or_else(|| Failure::unavailable("the connection is gone"))
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}
