//! The SQLite store: one file, one writer task whose transactions are shared by all who write at the same time, and a few readers.
//!
//! A commit is synced to disk (WAL, `synchronous = FULL`) before anyone in it is answered. Times are kept in whole milliseconds.

mod advance;
mod backup;
mod command;
mod connect;
mod file;
mod insert;
mod kept;
mod options;
mod publish;
mod push;
mod read;
mod result_code;
mod row;
mod schema;
mod sweep;
mod tidy;
mod transaction;
mod url;
mod withdraw;
mod write;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, Receipt, Retraction,
    Timestamp, UserId, WriteAnswer,
};
use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot, watch};

pub use self::backup::backup;
use self::command::{Command, Reply};
pub use self::kept::read_setting;
pub use self::options::SqliteOptions;
pub(crate) use self::result_code::failure;
use self::tidy::Untidy;
pub use self::url::path_from_url;
use crate::rules::listener_slot::ListenerSlot;
use crate::rules::push::NewPush;
use crate::{
    Advanced, CommitListener, PublishLimits, Push, Store, StoreError, StoreErrorKind, Sweep, Swept,
    Unpublished, Write,
};

/// Commands that wait for the writer; whoever brings one more waits for a place.
const QUEUE: usize = 1024;

/// Inboxes in an SQLite file.
///
/// The file has one server: a lock beside it (`FILE.lock`) ends with the process that holds it. Dropping the store without
/// [`Store::close`] finishes what was accepted in the background.
pub struct SqliteStore {
    readers: SqlitePool,
    writer: mpsc::Sender<Command>,
    ended: watch::Receiver<()>,
    commits: Arc<AtomicU64>,
    /// The last inbox that `behind` gave.
    turn: AtomicI64,
    /// The notification up to which those that nobody has any more were looked for.
    forsaken: AtomicI64,
    listener: Arc<ListenerSlot>,
    options: SqliteOptions,
}

impl SqliteStore {
    /// Opens the database of a URL, `sqlite://PATH` with a relative or absolute path, or of a path; makes it, readable by its owner
    /// alone, when it is missing; brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unusable`] for an in-memory database, a path where no file can be, a file that is no database or is held by
    /// another server, a schema newer than this version knows.
    pub async fn open(url: &str, options: SqliteOptions) -> Result<Self, StoreError> {
        Self::open_file(&path_from_url(url)?, options).await
    }

    /// As [`open`](Self::open), of a path that is taken as it is.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_file(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let file = file::DatabaseFile::claim(path)?;
        let readers = connect::readers(&file, &options);
        let commits = Arc::new(AtomicU64::new(0));
        let listener = Arc::new(ListenerSlot::default());
        let (counter, heard) = (commits.clone(), listener.clone());
        let writer = writer::Writer::open(file, options.clone(), readers.clone(), counter, heard).await?;
        let (sender, commands) = mpsc::channel(QUEUE);
        let (ending, ended) = watch::channel(());
        tokio::spawn(async move {
            writer.run(commands).await;
            drop(ending);
        });
        Ok(Self {
            readers,
            writer: sender,
            ended,
            commits,
            turn: AtomicI64::new(0),
            forsaken: AtomicI64::new(0),
            listener,
            options,
        })
    }

    /// Transactions committed since it was opened. Writes that came together share one.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    async fn command<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, StoreError> {
        let (sender, answer) = oneshot::channel();
        let gone = || StoreError::new(StoreErrorKind::Unavailable).with_message("the store is closed");
        self.writer.send(command(Reply::new(sender))).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn push(&self, push: Push) -> Result<Receipt, StoreError> {
        let push = NewPush::new(push)?;
        self.command(|reply| Command::Push(push, reply)).await
    }

    async fn write(&self, user_id: &UserId, write: Write) -> Result<WriteAnswer, StoreError> {
        self.command(|reply| Command::Write(user_id.clone(), write, reply)).await
    }

    async fn retract(&self, id: &NotificationId, at: Timestamp) -> Result<Retraction, StoreError> {
        let begun = self.command(|reply| Command::Retract(id.clone(), at, reply)).await?;
        let mut all = begun.all;
        while !all {
            all = self.command(|reply| Command::Withdraw(begun.notification, at, reply)).await?;
        }
        Ok(Retraction::new(id.clone()).with_cancelled(begun.cancelled).with_removed(begun.removed))
    }

    async fn advance(&self, now: Timestamp, limit: usize) -> Result<Advanced, StoreError> {
        let (mut done, mut left) = (Advanced::default(), limit);
        while left > 0 && advance::is_due(&self.readers, now).await? {
            let some = self.command(|reply| Command::Advance(now, left.min(withdraw::BATCH), reply)).await?;
            done += some;
            left =
                left.saturating_sub(usize::try_from(some.delivered + some.withdrawn).unwrap_or(usize::MAX));
        }
        Ok(done)
    }

    async fn sweep(&self, sweep: Sweep) -> Result<Swept, StoreError> {
        let (cuts, now) = (sweep.cuts(), sweep.now);
        let looked = sweep::look(&self.readers, &sweep, &cuts).await?;
        let next =
            looked.last().filter(|_| looked.len() >= sweep.limit.max(1)).map(|looked| looked.user_id.clone());
        let mut swept = Swept { next, inboxes: looked.len() as u64, ..Swept::default() };
        let mut inboxes: Vec<_> =
            looked.iter().filter(|looked| looked.is_untidy(&cuts)).map(|looked| looked.inbox.key).collect();
        while !inboxes.is_empty() {
            let untidy = Untidy { inboxes, forsaken: Vec::new(), cuts, now };
            let tidied = self.command(|reply| Command::Tidy(untidy, reply)).await?;
            swept.pruned += tidied.pruned;
            swept.trimmed += tidied.trimmed;
            swept.drifts.extend(tidied.drifts);
            inboxes = tidied.left;
        }
        if swept.next.is_none() {
            let mut forsaken = sweep::forsaken(&self.readers, &self.forsaken, &cuts).await?;
            while !forsaken.is_empty() || sweep::has_old_keys(&self.readers, &cuts).await? {
                let untidy =
                    Untidy { inboxes: Vec::new(), forsaken: std::mem::take(&mut forsaken), cuts, now };
                self.command(|reply| Command::Tidy(untidy, reply)).await?;
            }
        }
        Ok(swept)
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
        Ok(publish::behind(&self.readers, &self.turn, limit).await?)
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

    async fn get_or_insert_setting(&self, name: &str, value: String) -> Result<String, StoreError> {
        self.command(|reply| Command::Setting { name: name.to_owned(), value, reply }).await
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

    async fn close(&self) {
        // It may be closed already; then there is nothing to do but wait.
        let _ = self.writer.send(Command::Close).await;
        let _ = self.ended.clone().changed().await;
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("commits", &self.commits()).finish_non_exhaustive()
    }
}
