//! The PostgreSQL store: for when one machine is not enough. Several servers work on the same inboxes; each call is a transaction of its
//! own, in which it locks the inboxes that it changes.
//!
//! A commit is on disk before it is answered, as far as PostgreSQL itself syncs (`fsync`). Times are kept in whole milliseconds.

mod advance;
mod broker_lock;
mod connect;
mod options;
mod publish;
mod push;
mod read;
mod row;
mod schema;
mod setting;
mod sqlstate;
mod sweep;
mod sweeper;
mod tidy;
mod transaction;
mod url;
mod withdraw;
mod work;
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

use self::broker_lock::BrokerLock;
pub use self::options::PostgresOptions;
use self::publish::{Behind, Claim, Mark};
use self::read::{ReadChanges, ReadHead, ReadNotification, ReadPage};
pub use self::setting::read_setting;
use self::setting::{Ping, Setting};
pub(crate) use self::sqlstate::failure;
use self::sweeper::{EndTurn, TakeTurn};
pub use self::url::PostgresUrl;
use self::work::Database;
use self::write::InboxWrite;
use crate::rules::push::NewPush;
use crate::sql::failure::Failure;
use crate::{
    Advanced, CommitListener, PublishLimits, Push, Store, StoreError, Sweep, Swept, Unpublished, Write,
};

/// How long a store that is closed tries to tell the others so.
const FAREWELL: Duration = Duration::from_secs(1);

/// Inboxes in a PostgreSQL database.
///
/// Dropped without [`Store::close`] it leaves what it was publishing to the other servers, once its lease is over.
pub struct PostgresStore {
    database: Arc<Database>,
    /// Who this is among the servers.
    owner: i64,
    /// The last inbox that `behind` gave.
    turn: AtomicI64,
    /// The notification up to which those that nobody has any more were looked for.
    forsaken: AtomicI64,
    connect: PgConnectOptions,
    broker_lock: Mutex<Option<BrokerLock>>,
}

impl PostgresStore {
    /// Connects, makes the schema where it is missing, brings an older one up to date.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unusable`](crate::StoreErrorKind::Unusable) for a login or database that PostgreSQL refuses, a schema newer
    /// than this version knows;
    /// [`StoreErrorKind::Unavailable`](crate::StoreErrorKind::Unavailable) when PostgreSQL cannot be reached now.
    pub async fn open(url: &PostgresUrl, options: PostgresOptions) -> Result<Self, StoreError> {
        let connect = connect::options(url)?;
        let mut connection = connect::alone(&connect, &options).await?;
        schema::migrate(&mut connection, &options.schema).await?;
        if !schema::is_synced(&mut connection).await? {
            tracing::warn!(
                "PostgreSQL runs with fsync off: what is acknowledged may be lost with its machine"
            );
        }
        connection.close().await.map_err(Failure::from)?;
        let pool = connect::pool(connect.clone(), &options);
        Ok(Self {
            database: Arc::new(Database::new(pool, options)),
            owner: rand::random(),
            turn: AtomicI64::new(0),
            forsaken: AtomicI64::new(0),
            connect,
            broker_lock: Mutex::new(None),
        })
    }

    /// How often something was done again, since the store was opened, after it had failed for a reason that passes: a connection that was
    /// cut, a deadlock with somebody else.
    pub fn retries(&self) -> u64 {
        self.database.retries()
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn push(&self, push: Push) -> Result<Receipt, StoreError> {
        self.database.write(NewPush::new(push)?).await
    }

    async fn write(&self, user_id: &UserId, write: Write) -> Result<WriteAnswer, StoreError> {
        self.database.write(InboxWrite(user_id.clone(), write)).await
    }

    async fn retract(&self, id: &NotificationId, at: Timestamp) -> Result<Retraction, StoreError> {
        withdraw::retract(&self.database, id, at).await
    }

    async fn advance(&self, now: Timestamp, limit: usize) -> Result<Advanced, StoreError> {
        advance::run(&self.database, now, limit).await
    }

    async fn sweep(&self, sweep: Sweep) -> Result<Swept, StoreError> {
        match self.database.read(TakeTurn(self.owner)).await? {
            true => sweep::run(&self.database, &self.forsaken, sweep).await,
            false => Ok(Swept::default()),
        }
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
            *lock = Some(BrokerLock::take(self.connect.clone(), &self.database.options).await?);
        }
        Ok(())
    }

    async fn page(
        &self,
        user_id: &UserId,
        limit: usize,
        before: Option<u64>,
    ) -> Result<InboxPage, StoreError> {
        self.database.read_moment(ReadPage { user_id, limit, before }).await
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
        self.database.read_moment(ReadChanges { user_id, after, limit }).await
    }

    async fn head(&self, user_id: &UserId) -> Result<Head, StoreError> {
        self.database.read(ReadHead(user_id)).await
    }

    async fn unpublished_users(&self, limit: usize) -> Result<Vec<UserId>, StoreError> {
        self.database.read(Behind { owner: self.owner, turn: &self.turn, limit }).await
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

    async fn get_or_insert_setting(&self, name: &str, value: String) -> Result<String, StoreError> {
        self.database.read(Setting { name, value: &value }).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.database.read(Ping).await
    }

    async fn close(&self) {
        self.broker_lock.lock().await.take();
        let _ = timeout(FAREWELL, self.database.read(EndTurn(self.owner))).await;
        self.database.close().await;
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("options", &self.database.options).finish_non_exhaustive()
    }
}
