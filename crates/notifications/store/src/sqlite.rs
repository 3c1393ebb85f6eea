//! The SQLite store: one file, one writer task, and a few read-only connections.
//!
//! Writes that arrive together share a transaction. It is synced to disk (WAL, `synchronous =
//! FULL`) before their callers are answered. Times are stored in whole milliseconds.

mod advance;
mod backup;
mod cleanup;
mod command;
mod connect;
mod deliver;
mod file;
mod insert;
mod options;
mod orphans;
mod publish;
mod push;
mod read;
mod retract;
mod row;
mod schema;
mod setting;
mod sweep;
mod transaction;
mod url;
mod withdraw;
mod write;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, Receipt, Retraction,
    Timestamp, UserId, WriteAnswer,
};
use sqlx::SqlitePool;
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use self::advance::Progress;
pub use self::backup::backup;
use self::command::{Command, Reply};
pub use self::options::SqliteOptions;
pub use self::setting::read_setting;
pub use self::url::path_from_url;
use self::withdraw::Withdraw;
use crate::rules::listener_slot::ListenerSlot;
use crate::rules::push::NewPush;
use crate::rules::tasks::Tasks;
use crate::rules::withdrawal::{Limits, is_small};
use crate::sql::apart;
use crate::sql::drifts::Drifts;
use crate::sql::failure::Failure;
use crate::sql::push_all::execute_all;
use crate::{
    Advanced, CommitListener, PublishLimits, Push, Store, StoreError, StoreErrorKind, StoreTime, Sweep,
    Swept, Unpublished, Write,
};

/// The most commands that wait for the writer. Further callers wait until there is room.
const QUEUE: usize = 1024;

/// A [`Store`] in a SQLite file.
///
/// One process at a time can open the file: it holds a lock on `FILE.lock`, which ends with it. If
/// the store is dropped without [`Store::close`], it finishes accepted calls in the background.
pub struct SqliteStore {
    readers: SqlitePool,
    writer: mpsc::Sender<Command>,
    ended: watch::Receiver<()>,
    commits: Arc<AtomicU64>,
    /// The key of the last inbox that `unpublished_users` returned.
    unpublished_cursor: AtomicI64,
    /// Whoever has locked it takes the next step with what is due.
    progress: Mutex<Progress>,
    drifts: Drifts,
    listener: Arc<ListenerSlot>,
    options: SqliteOptions,
    tasks: Tasks,
}

impl SqliteStore {
    /// Opens the database that a URL names: `sqlite://PATH` or just a path.
    ///
    /// A missing file is created, readable by its owner only. An older schema is migrated.
    ///
    /// # Errors
    /// Returns [`StoreErrorKind::Unusable`] if the URL names an in-memory database, the file cannot
    /// be created, is not a database or is open in another process, or its schema is newer than
    /// this version knows.
    pub async fn open(url: &str, options: SqliteOptions) -> Result<Self, StoreError> {
        Self::open_file(&path_from_url(url)?, options).await
    }

    /// Opens the database at a path, like [`open`](Self::open).
    ///
    /// # Errors
    /// Returns the errors of [`open`](Self::open), except those about the URL.
    pub async fn open_file(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let file = file::DatabaseFile::lock(path)?;
        let readers = connect::readers(&file, &options);
        let commits = Arc::new(AtomicU64::new(0));
        let listener = Arc::new(ListenerSlot::default());
        let shared = (commits.clone(), listener.clone());
        let writer = writer::Writer::open(file, options.clone(), readers.clone(), shared.0, shared.1).await?;
        let (sender, commands) = mpsc::channel(QUEUE);
        let (ending, ended) = watch::channel(());
        let tasks = Tasks::default();
        tasks.spawn("writer", async move {
            writer.run(commands).await;
            drop(ending);
        });
        Ok(Self {
            readers,
            writer: sender,
            ended,
            commits,
            unpublished_cursor: AtomicI64::new(0),
            progress: Mutex::default(),
            drifts: Drifts::default(),
            listener,
            options,
            tasks,
        })
    }

    /// Returns the number of transactions committed since the store was opened. Writes that arrive
    /// together share one.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    async fn command<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, StoreError> {
        self.try_command(command).await?
    }

    /// Returns whether the database can be read and written.
    async fn works(&self) -> bool {
        read::ping(&self.readers).await.is_ok() && self.command(Command::Ping).await.is_ok()
    }

    /// Runs a command, and tells a failed transaction from a rejected command.
    async fn try_command<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<Result<T, StoreError>, Failure> {
        let (sender, answer) = oneshot::channel();
        let closed = || Failure::unavailable("the store is closed");
        self.writer.send(command(Reply::new(sender))).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn push(&self, push: Push) -> Result<Receipt, StoreError> {
        let push = NewPush::new(push)?;
        self.command(|reply| Command::Push(push, reply)).await
    }

    async fn push_all(&self, pushes: Vec<Push>) -> Vec<Result<Receipt, StoreError>> {
        let run = async |pushes: Vec<Arc<NewPush>>| {
            Ok(self.try_command(|reply| Command::PushAll(pushes, reply)).await??)
        };
        execute_all(pushes, async |pushes| {
            let pushes = pushes.into_iter().map(Arc::new);
            let parts = apart::split(pushes, (writer::COMMANDS, writer::ROWS), |push| push.weight());
            apart::run(parts, run).await.into_iter().map(|answer| answer?).collect()
        })
        .await
    }

    async fn write(&self, user_id: &UserId, write: Write) -> Result<WriteAnswer, StoreError> {
        self.command(|reply| Command::Write(user_id.clone(), write, reply)).await
    }

    async fn retract(&self, id: &NotificationId, at: Timestamp) -> Result<Retraction, StoreError> {
        let _turn = self.progress.lock().await;
        let retraction = Retraction::new(id.clone());
        let marked = self.command(|reply| Command::Retract(id.clone(), at, reply)).await?;
        let Some(mut withdrawal) = marked else { return Ok(retraction) };
        // Nothing of it is done until this turn ends. The writer need not wait for the counting.
        let (cancelled, removed) = retract::count(&self.readers, withdrawal.notification).await?;
        while is_small(removed) {
            let withdrawals = vec![withdrawal.clone()];
            let step = Withdraw { withdrawals, at, limits: Limits::RETRACTION };
            let reached = self.command(|reply| Command::Withdraw(step, reply)).await?.reached;
            let Some(reached) = reached.get(&withdrawal.notification) else { break };
            withdrawal.reached = *reached;
        }
        Ok(retraction.with_cancelled(cancelled).with_removed(removed))
    }

    async fn advance(&self, now: Timestamp, limit: usize) -> Result<Advanced, StoreError> {
        let progress = self.progress.lock().await;
        Ok(advance::run(self, &progress, now, limit).await?)
    }

    async fn sweep(&self, sweep: Sweep) -> Result<Swept, StoreError> {
        sweep::run(self, sweep).await
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn set_commit_listener(&self, listener: Arc<dyn CommitListener>) {
        self.listener.set(listener);
    }

    async fn lock_broker(&self) -> Result<(), StoreError> {
        // The lock on the database file excludes other servers.
        Ok(())
    }

    async fn page(
        &self,
        user_id: &UserId,
        limit: usize,
        before: Option<u64>,
    ) -> Result<InboxPage, StoreError> {
        Ok(read::page(&self.readers, user_id, limit, before).await?)
    }

    async fn notification(
        &self,
        user_id: &UserId,
        id: &NotificationId,
    ) -> Result<Option<InboxNotification>, StoreError> {
        Ok(read::notification(&self.readers, user_id, id).await?)
    }

    async fn changes(
        &self,
        user_id: &UserId,
        after: Position,
        limit: usize,
    ) -> Result<ChangesAnswer, StoreError> {
        Ok(read::changes(&self.readers, user_id, after, limit).await?)
    }

    async fn head(&self, user_id: &UserId) -> Result<Head, StoreError> {
        Ok(read::head(&self.readers, user_id).await?)
    }

    async fn unpublished_users(&self, limit: usize) -> Result<Vec<UserId>, StoreError> {
        Ok(publish::unpublished_users(&self.readers, &self.unpublished_cursor, limit).await?)
    }

    async fn claim_unpublished(
        &self,
        users: &[(UserId, u64)],
        limits: PublishLimits,
    ) -> Result<Vec<Unpublished>, StoreError> {
        Ok(publish::unpublished(&self.readers, users, limits).await?)
    }

    async fn mark_published(&self, marks: &[(UserId, u64)]) -> Result<Vec<UserId>, StoreError> {
        self.command(|reply| Command::Mark(marks.to_vec(), reply)).await
    }

    async fn unpublished_age(&self) -> Result<Option<Duration>, StoreError> {
        Ok(publish::unpublished_age(&self.readers).await?)
    }

    async fn get_or_insert_setting(&self, name: &str, value: String) -> Result<String, StoreError> {
        self.command(|reply| Command::Setting { name: name.to_owned(), value, reply }).await
    }

    async fn time(&self) -> Result<StoreTime, StoreError> {
        Ok(setting::recorded_time(&self.readers).await?)
    }

    async fn record_time(&self, now: Timestamp, in_doubt: bool) -> Result<(), StoreError> {
        self.command(|reply| Command::RecordTime(StoreTime::setting(now, in_doubt), reply)).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let both = async {
            read::ping(&self.readers).await?;
            self.command(Command::Ping).await
        };
        tokio::time::timeout(self.options.ready_timeout, both).await.unwrap_or_else(|_| {
            Err(StoreError::new(StoreErrorKind::Unavailable)
                .with_message("the database does not answer in time"))
        })
    }

    async fn failed(&self) -> &'static str {
        self.tasks.failed().await
    }

    async fn close(&self) {
        // If the store is closed already, this only waits for its end.
        let _ = self.writer.send(Command::Close).await;
        let _ = self.ended.clone().changed().await;
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("commits", &self.commits()).finish_non_exhaustive()
    }
}
