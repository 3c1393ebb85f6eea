//! The PostgreSQL store, which several servers can share.
//!
//! Each call is a transaction that locks the inboxes it changes; pushes that wait together share
//! one. A commit is durable before it is answered, provided that PostgreSQL syncs (`fsync`). Times
//! are stored in whole milliseconds.

mod advance;
mod advance_turn;
mod broker_lock;
mod cleanup;
mod connect;
mod database;
mod deliver;
mod options;
mod orphans;
mod publish;
mod push;
mod push_queue;
mod read;
mod retract;
mod schema;
mod setting;
mod sweep;
mod sweep_turn;
mod transaction;
mod url;
mod withdraw;
mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, Receipt, Retraction,
    Timestamp, UserId, WriteAnswer,
};
use sqlx::Connection;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Mutex;
use tokio::time::timeout;

use self::advance::Progress;
use self::broker_lock::BrokerLock;
use self::database::Database;
pub use self::options::PostgresOptions;
use self::publish::{Claim, Mark, UnpublishedAge, UnpublishedUsers};
use self::push_queue::PushQueue;
use self::read::{ReadChanges, ReadHead, ReadNotification, ReadPage};
pub use self::setting::read_setting;
use self::setting::{Ping, ReadTime, RecordTime, Setting};
use self::sweep_turn::EndTurn;
pub use self::url::PostgresUrl;
use self::write::InboxWrite;
use crate::rules::push::NewPush;
use crate::rules::tasks::Tasks;
use crate::sql::drifts::Drifts;
use crate::sql::failure::Failure;
use crate::sql::push_all::execute_all;
use crate::{
    Advanced, CommitListener, PublishLimits, Push, Store, StoreError, StoreTime, Sweep, Swept, Unpublished,
    Write,
};

/// How long a closing store tries to end its turn to sweep.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A [`Store`] in a PostgreSQL database.
///
/// If it is dropped without [`Store::close`], other servers publish the inboxes that it had leased
/// once the leases end.
pub struct PostgresStore {
    database: Arc<Database>,
    pushes: Arc<PushQueue>,
    /// Identifies this store among those that share the database.
    owner: i64,
    /// The key of the last inbox that `unpublished_users` returned.
    unpublished_cursor: AtomicI64,
    progress: Progress,
    drifts: Drifts,
    connect: PgConnectOptions,
    broker_lock: Mutex<Option<BrokerLock>>,
    tasks: Tasks,
}

impl PostgresStore {
    /// Connects to the database, and creates or migrates the schema.
    ///
    /// # Errors
    /// Returns [`Unusable`](crate::StoreErrorKind::Unusable) if PostgreSQL rejects the login or the
    /// database, or if the schema is newer than this version knows. Returns
    /// [`Unavailable`](crate::StoreErrorKind::Unavailable) if PostgreSQL cannot be reached.
    pub async fn open(url: &PostgresUrl, options: PostgresOptions) -> Result<Self, StoreError> {
        let connect = connect::options(url)?;
        let mut connection = connect::alone(&connect, &options).await?;
        schema::migrate(&mut connection, &options.schema).await?;
        if !schema::is_synced(&mut connection).await? {
            tracing::warn!(
                "PostgreSQL runs with fsync off; a crash of its machine may lose acknowledged notifications"
            );
        }
        connection.close().await.map_err(Failure::from)?;
        let pool = connect::pool(connect.clone(), &options);
        let database = Arc::new(Database::new(pool, options));
        Ok(Self {
            pushes: Arc::new(PushQueue::new(database.clone())),
            database,
            owner: rand::random(),
            unpublished_cursor: AtomicI64::new(0),
            progress: Progress::default(),
            drifts: Drifts::default(),
            connect,
            broker_lock: Mutex::new(None),
            tasks: Tasks::default(),
        })
    }

    /// Returns how often a call was retried since the store was opened, after a transient failure
    /// such as a lost connection or a deadlock.
    pub fn retries(&self) -> u64 {
        self.database.retries()
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn push(&self, push: Push) -> Result<Receipt, StoreError> {
        self.pushes.push(NewPush::new(push)?).await
    }

    async fn push_all(&self, pushes: Vec<Push>) -> Vec<Result<Receipt, StoreError>> {
        execute_all(pushes, |pushes| self.pushes.push_all(pushes)).await
    }

    async fn write(&self, user_id: &UserId, write: Write) -> Result<WriteAnswer, StoreError> {
        self.database.write(InboxWrite(user_id.clone(), write)).await
    }

    async fn retract(&self, id: &NotificationId, at: Timestamp) -> Result<Retraction, StoreError> {
        retract::retract(&self.database, id, at).await
    }

    async fn advance(&self, now: Timestamp, limit: usize) -> Result<Advanced, StoreError> {
        advance::run(&self.database, &self.progress, now, limit).await
    }

    async fn sweep(&self, sweep: Sweep) -> Result<Swept, StoreError> {
        sweep::run(&self.database, self.owner, &self.drifts, sweep).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn set_commit_listener(&self, listener: Arc<dyn CommitListener>) {
        self.database.listener.set(listener);
    }

    async fn lock_broker(&self) -> Result<(), StoreError> {
        let mut lock = self.broker_lock.lock().await;
        if lock.is_none() {
            *lock = Some(BrokerLock::take(self.connect.clone(), &self.database.options, &self.tasks).await?);
        }
        Ok(())
    }

    async fn page(
        &self,
        user_id: &UserId,
        limit: usize,
        before: Option<u64>,
    ) -> Result<InboxPage, StoreError> {
        self.database.read_consistently(ReadPage { user_id, limit, before }).await
    }

    async fn notification(
        &self,
        user_id: &UserId,
        id: &NotificationId,
    ) -> Result<Option<InboxNotification>, StoreError> {
        self.database.read(ReadNotification(user_id, id)).await
    }

    async fn changes(
        &self,
        user_id: &UserId,
        after: Position,
        limit: usize,
    ) -> Result<ChangesAnswer, StoreError> {
        self.database.read_consistently(ReadChanges { user_id, after, limit }).await
    }

    async fn head(&self, user_id: &UserId) -> Result<Head, StoreError> {
        self.database.read(ReadHead(user_id)).await
    }

    async fn unpublished_users(&self, limit: usize) -> Result<Vec<UserId>, StoreError> {
        self.database
            .read(UnpublishedUsers { owner: self.owner, cursor: &self.unpublished_cursor, limit })
            .await
    }

    async fn claim_unpublished(
        &self,
        users: &[(UserId, u64)],
        limits: PublishLimits,
    ) -> Result<Vec<Unpublished>, StoreError> {
        let lease = self.database.options.lease;
        self.database.read(Claim { owner: self.owner, lease, users, limits }).await
    }

    async fn mark_published(&self, marks: &[(UserId, u64)]) -> Result<Vec<UserId>, StoreError> {
        self.database.read(Mark { owner: self.owner, marks }).await
    }

    async fn unpublished_age(&self) -> Result<Option<Duration>, StoreError> {
        self.database.read(UnpublishedAge).await
    }

    async fn get_or_insert_setting(&self, name: &str, value: String) -> Result<String, StoreError> {
        self.database.read(Setting { name, value: &value }).await
    }

    async fn time(&self) -> Result<StoreTime, StoreError> {
        self.database.read(ReadTime).await
    }

    async fn record_time(&self, now: Timestamp, in_doubt: bool) -> Result<(), StoreError> {
        self.database.read(RecordTime(StoreTime::setting(now, in_doubt))).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.database.read(Ping).await
    }

    async fn failed(&self) -> &'static str {
        self.tasks.failed().await
    }

    async fn close(&self) {
        self.broker_lock.lock().await.take();
        let _ = timeout(CLOSE_TIMEOUT, self.database.read(EndTurn(self.owner))).await;
        self.database.close().await;
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("options", &self.database.options).finish_non_exhaustive()
    }
}
