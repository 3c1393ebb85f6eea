//! An empty store of one kind, with short helpers for tests.

use std::sync::Arc;

use internal_notifications_models::{
    Change, ChangesAnswer, NotificationId, OpId, Position, Receipt, ResetReason, Timestamp, WriteAnswer,
};
use internal_notifications_store::{
    Advanced, InboxCommand, PublishLimits, Push, Retention, Store, StoreError, Sweep, Swept, Write,
};

use crate::backend::{Backend, Options};
use crate::store_data::StoreData;

pub(crate) use crate::values::{at, id, push, user};

pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) data: StoreData,
    options: Options,
}

impl Fixture {
    pub(crate) async fn new(on: Backend) -> Self {
        Self::with(on, Options::default()).await
    }

    pub(crate) async fn with(on: Backend, options: Options) -> Self {
        let data = StoreData::new(on);
        Self { store: options.open(&data).await, data, options }
    }

    /// Closes the store and opens another over its data.
    pub(crate) async fn reopen(&mut self) {
        self.store.close().await;
        self.store = self.another().await;
    }

    /// Opens another store over the same data.
    pub(crate) async fn another(&self) -> Arc<dyn Store> {
        self.options.open(&self.data).await
    }

    pub(crate) async fn push(&self, name: &str, users: &[&str]) -> Receipt {
        self.store.push(push(name, users)).await.unwrap()
    }

    pub(crate) async fn write(&self, name: &str, command: InboxCommand) -> Result<WriteAnswer, StoreError> {
        self.store.write(&user(name), Write::new(command, at(50))).await
    }

    pub(crate) async fn write_as(
        &self,
        name: &str,
        op: &str,
        command: InboxCommand,
    ) -> Result<WriteAnswer, StoreError> {
        let op = Some(OpId::new(op).unwrap());
        self.store.write(&user(name), Write::new(command, at(60)).with_op(op)).await
    }

    /// Calls `advance` until it is idle.
    pub(crate) async fn advance(&self, now: Timestamp, limit: usize) -> Advanced {
        let mut sum = Advanced::default();
        loop {
            let done = self.store.advance(now, limit).await.unwrap();
            sum.delivered += done.delivered;
            sum.withdrawn += done.withdrawn;
            sum.expired += done.expired;
            sum.lateness = sum.lateness.max(done.lateness);
            if done.is_idle() {
                return sum;
            }
        }
    }

    /// Sweeps all inboxes, `inboxes` in each call.
    pub(crate) async fn sweep(&self, now: Timestamp, keep: Retention, inboxes: usize) -> Swept {
        let mut sum = Swept::default();
        loop {
            let sweep = Sweep::new(keep.clone(), now).with_after(sum.next.take()).with_limit(inboxes);
            let swept = self.store.sweep(sweep).await.unwrap();
            sum.inboxes += swept.inboxes;
            sum.pruned += swept.pruned;
            sum.trimmed += swept.trimmed;
            sum.forgotten += swept.forgotten;
            sum.drifts.extend(swept.drifts);
            sum.passed_over.extend(swept.passed_over);
            sum.next = swept.next;
            if sum.next.is_none() {
                return sum;
            }
        }
    }

    /// Marks everything published, as a dispatcher does.
    pub(crate) async fn publish_all(&self) {
        let behind = self.store.unpublished_users(1_000).await.unwrap();
        self.mark(&behind.iter().map(|user| (user.as_str(), u64::MAX)).collect::<Vec<_>>()).await;
    }

    /// Claims these users and moves their marks.
    pub(crate) async fn mark(&self, marks: &[(&str, u64)]) {
        let positions =
            |seq: Option<u64>| marks.iter().map(move |(name, mark)| (user(name), seq.unwrap_or(*mark)));
        let most = PublishLimits::new(1, 0);
        self.store.claim_unpublished(&positions(Some(0)).collect::<Vec<_>>(), most).await.unwrap();
        self.store.mark_published(&positions(None).collect::<Vec<_>>()).await.unwrap();
    }

    /// Publishes everything and trims the logs of all inboxes to this many changes.
    pub(crate) async fn cut_logs(&self, count: u64) -> Swept {
        self.publish_all().await;
        self.sweep(at(100), unlimited_except(|keep| keep.log_count = Some(count)), 10).await
    }

    /// Returns the changes after a position, and panics on a reset.
    pub(crate) async fn changes(&self, name: &str, after: Position, limit: usize) -> (Vec<Change>, bool) {
        match self.store.changes(&user(name), after, limit).await.unwrap() {
            ChangesAnswer::Changes { changes, more, .. } => (changes, more),
            ChangesAnswer::Reset { reason, .. } => panic!("reset: {reason:?}"),
        }
    }

    pub(crate) async fn log(&self, name: &str) -> Vec<Change> {
        self.changes(name, Position::default(), 500).await.0
    }

    /// Returns the reason if changes after a position are answered with a reset.
    pub(crate) async fn reset(&self, name: &str, after: Position) -> Option<ResetReason> {
        match self.store.changes(&user(name), after, 10).await.unwrap() {
            ChangesAnswer::Changes { .. } => None,
            ChangesAnswer::Reset { reason, snapshot, .. } => {
                assert_eq!(snapshot.head, self.store.head(&user(name)).await.unwrap());
                Some(reason)
            }
        }
    }

    pub(crate) async fn pending(&self, name: &str) -> u64 {
        self.store.head(&user(name)).await.unwrap().pending
    }

    /// Returns the ids in an inbox, newest first.
    pub(crate) async fn ids(&self, name: &str) -> Vec<String> {
        let page = self.store.page(&user(name), 200, None).await.unwrap();
        page.notifications.iter().map(|row| row.id.to_string()).collect()
    }
}

/// Returns an unlimited retention with this change.
pub(crate) fn unlimited_except(change: impl FnOnce(&mut Retention)) -> Retention {
    let mut keep = Retention::default();
    (keep.age, keep.count, keep.log_age, keep.log_count) = (None, None, None, None);
    change(&mut keep);
    keep
}

pub(crate) fn ids(names: &[&str]) -> Vec<NotificationId> {
    names.iter().map(|name| id(name)).collect()
}

pub(crate) fn push_at(at: Timestamp, mut push: Push) -> Push {
    push.at = at;
    push
}
