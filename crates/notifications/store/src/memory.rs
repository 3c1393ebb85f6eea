//! The store in memory, for simulations and tests. No URL opens one.
//!
//! It keeps inboxes as `InboxLog`s, whose rules the SQL stores are tested against.

mod advance;
mod contents;
mod inbox;
mod options;
mod publish;
mod push;
mod read;
mod sweep;
mod transaction;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, Receipt, Retraction,
    Timestamp, UserId, WriteAnswer,
};

use self::advance::Progress;
use self::contents::Contents;
pub use self::options::MemoryOptions;
use self::transaction::Transaction;
use crate::rules::listener_slot::ListenerSlot;
use crate::rules::push::NewPush;
use crate::{
    Advanced, CommitListener, PublishLimits, Push, Store, StoreError, StoreErrorKind, StoreTime, Sweep,
    Swept, Unpublished, Write,
};
use crate::{Clock, SystemClock};

/// The data of a [`MemoryStore`].
///
/// It outlives the stores that work on it, as a database outlives its servers: a store opened over
/// the data of one that was dropped has everything that was acknowledged.
#[derive(Clone)]
pub struct MemoryData {
    contents: Arc<Mutex<Contents>>,
    clock: Arc<dyn Clock>,
}

impl MemoryData {
    /// Creates empty data. Leases end by this clock, which is also the time of a shared store.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { contents: Arc::default(), clock }
    }

    /// Returns an independent copy of the data, like a backup.
    pub fn copy(&self) -> Self {
        let mut contents = self.lock().clone();
        contents.broker_owner = None;
        Self { contents: Arc::new(Mutex::new(contents)), clock: self.clock.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryData {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl fmt::Debug for MemoryData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryData").finish_non_exhaustive()
    }
}

/// A [`Store`] in memory.
///
/// It is deterministic: apart from the random tags, which
/// [`MemoryOptions::with_tags`] replaces, the same calls give the same answers.
#[derive(Debug)]
pub struct MemoryStore {
    data: MemoryData,
    options: MemoryOptions,
    /// Identifies this store among those that share the data.
    owner: u64,
    /// The last user that `unpublished_users` returned.
    unpublished_cursor: Mutex<Option<UserId>>,
    progress: Progress,
    closed: AtomicBool,
    listener: ListenerSlot,
}

impl MemoryStore {
    /// Opens a store over this data. Several at a time need [`MemoryOptions::with_shared`].
    pub fn open(data: MemoryData, options: MemoryOptions) -> Self {
        let owner = data.lock().next_owner();
        let (unpublished_cursor, closed) = (Mutex::default(), AtomicBool::new(false));
        let (progress, listener) = (Progress::default(), ListenerSlot::default());
        Self { data, options, owner, unpublished_cursor, progress, closed, listener }
    }

    fn contents(&self) -> Result<MutexGuard<'_, Contents>, StoreError> {
        match self.closed.load(Ordering::Relaxed) {
            true => Err(StoreError::new(StoreErrorKind::Unavailable).with_message("the store is closed")),
            false => Ok(self.data.lock()),
        }
    }

    fn transact<T>(&self, run: impl FnOnce(&mut Transaction<'_>) -> T) -> Result<T, StoreError> {
        let mut contents = self.contents()?;
        let mut transaction = Transaction::new(&mut contents, &*self.options.hooks.make_tag, self.now());
        let answer = run(&mut transaction);
        let changed = transaction.into_changed();
        drop(contents);
        self.listener.committed(&changed);
        Ok(answer)
    }

    fn unlock_broker(&self) {
        self.data.lock().broker_owner.take_if(|owner| *owner == self.owner);
    }

    fn now(&self) -> i64 {
        self.data.clock.now().as_millisecond()
    }

    /// Returns the publishing store and the current time if the data is shared.
    fn publisher(&self) -> Option<publish::Publisher> {
        self.options.shared.then_some(publish::Publisher { owner: self.owner, now: self.now() })
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn push(&self, push: Push) -> Result<Receipt, StoreError> {
        let push = NewPush::new(push)?;
        self.transact(|transaction| push::run(transaction, &push))?
    }

    async fn push_all(&self, pushes: Vec<Push>) -> Vec<Result<Receipt, StoreError>> {
        let mut answers = Vec::with_capacity(pushes.len());
        for push in pushes {
            answers.push(self.push(push).await);
        }
        answers
    }

    async fn write(&self, user_id: &UserId, write: Write) -> Result<WriteAnswer, StoreError> {
        self.transact(|transaction| transaction.write(user_id, &write))?
    }

    async fn retract(&self, id: &NotificationId, at: Timestamp) -> Result<Retraction, StoreError> {
        self.transact(|transaction| advance::retract(transaction, id, at))?
    }

    async fn advance(&self, now: Timestamp, limit: usize) -> Result<Advanced, StoreError> {
        self.transact(|transaction| advance::run(transaction, &self.progress, now, limit))
    }

    async fn sweep(&self, sweep: Sweep) -> Result<Swept, StoreError> {
        self.transact(|transaction| sweep::run(transaction, &sweep))
    }

    fn set_commit_listener(&self, listener: Arc<dyn CommitListener>) {
        self.listener.set(listener);
    }

    async fn lock_broker(&self) -> Result<(), StoreError> {
        match *self.contents()?.broker_owner.get_or_insert(self.owner) == self.owner {
            true => Ok(()),
            false => Err(StoreError::new(StoreErrorKind::Unusable)
                .with_message("another store over the same data has the embedded broker")),
        }
    }

    async fn page(
        &self,
        user_id: &UserId,
        limit: usize,
        before: Option<u64>,
    ) -> Result<InboxPage, StoreError> {
        Ok(read::page(&*self.contents()?, user_id, limit, before))
    }

    async fn notification(
        &self,
        user_id: &UserId,
        id: &NotificationId,
    ) -> Result<Option<InboxNotification>, StoreError> {
        let contents = self.contents()?;
        Ok(contents.log(user_id).and_then(|log| log.notification(id)).cloned())
    }

    async fn changes(
        &self,
        user_id: &UserId,
        after: Position,
        limit: usize,
    ) -> Result<ChangesAnswer, StoreError> {
        Ok(read::changes(&*self.contents()?, user_id, after, limit))
    }

    async fn head(&self, user_id: &UserId) -> Result<Head, StoreError> {
        Ok(self.contents()?.head(user_id))
    }

    fn is_shared(&self) -> bool {
        self.options.shared
    }

    async fn unpublished_users(&self, limit: usize) -> Result<Vec<UserId>, StoreError> {
        let mut cursor = self.unpublished_cursor.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(publish::unpublished_users(&*self.contents()?, self.publisher(), &mut cursor, limit))
    }

    async fn claim_unpublished(
        &self,
        users: &[(UserId, u64)],
        limits: PublishLimits,
    ) -> Result<Vec<Unpublished>, StoreError> {
        Ok(publish::unpublished(&mut *self.contents()?, self.publisher(), users, limits))
    }

    async fn mark_published(&self, marks: &[(UserId, u64)]) -> Result<Vec<UserId>, StoreError> {
        Ok(publish::mark(&mut *self.contents()?, self.publisher(), marks, self.now()))
    }

    async fn unpublished_age(&self) -> Result<Option<Duration>, StoreError> {
        Ok(publish::unpublished_age(&*self.contents()?, self.now()).map(Duration::from_millis))
    }

    async fn get_or_insert_setting(&self, name: &str, value: String) -> Result<String, StoreError> {
        Ok(self.contents()?.settings.entry(name.to_owned()).or_insert(value).clone())
    }

    async fn time(&self) -> Result<StoreTime, StoreError> {
        let recorded = self.contents()?.recorded_time;
        let now = self.options.shared.then(|| self.data.clock.now());
        Ok(StoreTime { now, ..recorded })
    }

    async fn record_time(&self, now: Timestamp, in_doubt: bool) -> Result<(), StoreError> {
        self.contents()?.recorded_time = StoreTime::new(None, Some(now)).with_in_doubt(in_doubt);
        Ok(())
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.contents().map(|_| ())
    }

    async fn failed(&self) -> &'static str {
        std::future::pending().await
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.unlock_broker();
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        self.unlock_broker();
    }
}
