use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::TaskTracker;

use super::options::PostgresOptions;
use super::transaction::Transaction;
use crate::rules::listener_slot::ListenerSlot;
use crate::sql::failure::Failure;
use crate::{StoreError, StoreErrorKind};

/// How often a call is retried after transient failures.
const RETRIES: u32 = 6;
/// The longest wait before the first retry. It doubles with each retry.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// Reads.
pub(super) trait Query: Sync {
    type Answer: Send;

    fn read(
        &self,
        connection: &mut PgConnection,
    ) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

/// Changes inboxes in one transaction. If the transaction fails, it may run again from the start.
pub(super) trait Mutation: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// Whether its statements keep their plans, which saves time. A plan is made for what the
    /// tables hold then, so a statement that joins tables may read all of one that has grown since.
    const KEEPS_PLANS: bool = false;

    fn write(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> impl Future<Output = Result<Outcome<Self::Answer>, Failure>> + Send;
}

/// How a transaction ends.
pub(super) enum Outcome<T> {
    Commit(T),
    /// Stores nothing, and returns this answer.
    Rollback(Result<T, StoreError>),
}

/// The connection pool. Every call ends within [`PostgresOptions::with_call_timeout`].
pub(super) struct Database {
    pool: PgPool,
    pub(super) options: PostgresOptions,
    pub(super) listener: ListenerSlot,
    writers: Semaphore,
    /// The tasks of calls that write.
    tasks: TaskTracker,
    retries: AtomicU64,
}

impl Database {
    pub(super) fn new(pool: PgPool, options: PostgresOptions) -> Self {
        let writers = Semaphore::new(options.writers());
        Self {
            pool,
            options,
            listener: ListenerSlot::default(),
            writers,
            tasks: TaskTracker::new(),
            retries: AtomicU64::new(0),
        }
    }

    /// Runs a query, each statement in its own transaction.
    pub(super) async fn read<Q: Query>(&self, query: Q) -> Result<Q::Answer, StoreError> {
        self.retry(Statements(query)).await
    }

    /// Runs a query in one read-only transaction, so that its statements see the same state.
    pub(super) async fn read_consistently<Q: Query>(&self, query: Q) -> Result<Q::Answer, StoreError> {
        self.retry(Snapshot(query)).await
    }

    /// Runs a mutation to its end, even if the caller no longer waits.
    pub(super) async fn write<M: Mutation>(self: &Arc<Self>, mutation: M) -> Result<M::Answer, StoreError> {
        self.try_write(mutation).await?
    }

    /// Like [`write`](Self::write), and tells a failed transaction from a rejected call.
    pub(super) async fn try_write<M: Mutation>(
        self: &Arc<Self>,
        mutation: M,
    ) -> Result<Result<M::Answer, StoreError>, Failure> {
        self.check_open()?;
        let this = self.clone();
        let done = async move { this.retry_until(this.deadline(), Permitted(mutation)).await };
        self.spawn(done).await.map_err(|_| Failure::unavailable("the server is stopping"))?
    }

    /// Runs a mutation until a deadline. The caller holds a permit.
    pub(super) async fn write_until<M: Mutation>(
        &self,
        deadline: Instant,
        mutation: M,
    ) -> Result<Result<M::Answer, StoreError>, Failure> {
        self.retry_until(deadline, Transact(mutation)).await
    }

    /// Waits for a permit to change inboxes. At most [`PostgresOptions::writers`] exist.
    pub(super) async fn permit(&self) -> Result<SemaphorePermit<'_>, Failure> {
        let permit = timeout(self.options.acquire_timeout, self.writers.acquire()).await;
        permit.map_err(|_| Failure::unavailable("too many calls wait to write"))?.map_err(|_| closed())
    }

    /// Runs a task of a call, for which [`close`](Self::close) waits.
    pub(super) fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Checks that the store accepts calls that write.
    pub(super) fn check_open(&self) -> Result<(), Failure> {
        match self.tasks.is_closed() {
            true => Err(closed()),
            false => Ok(()),
        }
    }

    async fn retry<A: Attempt>(&self, attempt: A) -> Result<A::Answer, StoreError> {
        Ok(self.retry_until(self.deadline(), attempt).await?)
    }

    /// Returns the time at which a call that begins now must have ended.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.options.call_timeout
    }

    async fn retry_until<A: Attempt>(&self, deadline: Instant, attempt: A) -> Result<A::Answer, Failure> {
        let mut retries = 0;
        loop {
            let done = timeout_at(deadline, attempt.attempt(self)).await;
            let failure = match done {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failure)) => failure,
                Err(_) => out_of_time(),
            };
            let wait = FIRST_WAIT.saturating_mul(1 << retries).mul_f64(rand::random());
            if !failure.is_transient() || retries == RETRIES || Instant::now() + wait >= deadline {
                return Err(failure);
            }
            retries += 1;
            self.retries.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(wait).await;
        }
    }

    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Accepts no further calls, and waits for those that are running or wait for their turn, for
    /// as long as a call may take.
    pub(super) async fn close(&self) {
        self.tasks.close();
        let _ = timeout(self.options.call_timeout, self.tasks.wait()).await;
        self.writers.close();
        self.pool.close().await;
    }

    async fn transact<M: Mutation>(&self, mutation: &M) -> Result<Result<M::Answer, StoreError>, Failure> {
        let mut session = self.session().await?;
        let begin = match M::KEEPS_PLANS {
            true => "BEGIN ISOLATION LEVEL READ COMMITTED",
            false => "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL plan_cache_mode = force_custom_plan",
        };
        let mut begun = session.connection()?.begin_with(begin).await?;
        let mut transaction = Transaction::new(&mut begun, &*self.options.hooks.make_tag);
        match mutation.write(&mut transaction).await {
            Ok(Outcome::Commit(answer)) => {
                let changed = transaction.into_changed();
                // After a failed commit, the transaction may be stored or not.
                let ambiguous = |error| Failure::from(error).transient(false).particular(false);
                begun.commit().await.map_err(ambiguous)?;
                session.give_back();
                self.listener.committed(&changed);
                Ok(Ok(answer))
            }
            Ok(Outcome::Rollback(answer)) => {
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

    async fn session(&self) -> Result<Session, Failure> {
        Ok(Session(Some(self.pool.acquire().await?)))
    }
}

pub(super) fn out_of_time() -> Failure {
    Failure::unavailable("PostgreSQL did not answer in time")
}

fn closed() -> Failure {
    Failure::unavailable("the store is closed")
}

trait Attempt {
    type Answer;

    fn attempt(&self, database: &Database) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

struct Statements<Q>(Q);
struct Snapshot<Q>(Q);
struct Transact<M>(M);
/// A transaction that first waits for a permit.
struct Permitted<M>(M);

impl<Q: Query> Attempt for Statements<Q> {
    type Answer = Q::Answer;

    async fn attempt(&self, database: &Database) -> Result<Q::Answer, Failure> {
        let mut session = database.session().await?;
        let answer = self.0.read(session.connection()?).await?;
        session.give_back();
        Ok(answer)
    }
}

impl<Q: Query> Attempt for Snapshot<Q> {
    type Answer = Q::Answer;

    async fn attempt(&self, database: &Database) -> Result<Q::Answer, Failure> {
        let mut session = database.session().await?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut transaction = session.connection()?.begin_with(begin).await?;
        let answer = self.0.read(&mut transaction).await?;
        transaction.commit().await?;
        session.give_back();
        Ok(answer)
    }
}

impl<M: Mutation> Attempt for Permitted<M> {
    type Answer = Result<M::Answer, StoreError>;

    async fn attempt(&self, database: &Database) -> Result<Self::Answer, Failure> {
        let _permit = database.permit().await?;
        database.transact(&self.0).await
    }
}

impl<M: Mutation> Attempt for Transact<M> {
    type Answer = Result<M::Answer, StoreError>;

    async fn attempt(&self, database: &Database) -> Result<Self::Answer, Failure> {
        database.transact(&self.0).await
    }
}

/// A connection in use. It is closed unless it is given back.
///
/// So neither a dropped call nor an unresponsive database occupies a place in the pool for long.
struct Session(Option<PoolConnection<Postgres>>);

impl Session {
    fn connection(&mut self) -> Result<&mut PgConnection, Failure> {
        self.0.as_deref_mut().ok_or_else(|| Failure::unavailable("the connection is closed"))
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
