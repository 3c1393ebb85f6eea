use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, Receipt, Retraction,
    Timestamp, UserId, WriteAnswer,
};

use super::Metrics;
use crate::store::{
    Advanced, CommitListener, InboxCommand, PublishLimits, Push, RETRACTED_AT_ONCE, Store, StoreError,
    StoreTime, Sweep, Swept, Unpublished, Write,
};

/// A store that counts all of its calls.
pub struct MeteredStore {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
}

impl MeteredStore {
    /// Wraps a store.
    pub fn new(store: Arc<dyn Store>, metrics: Arc<Metrics>) -> Self {
        Self { store, metrics }
    }

    fn counted<T>(
        &self,
        call: &'static str,
        outcome: Result<T, StoreError>,
        count: impl FnOnce(&Metrics, &T),
    ) -> Result<T, StoreError> {
        match &outcome {
            Ok(done) => count(&self.metrics, done),
            Err(error) => self.metrics.store_failed(call, error.kind()),
        }
        outcome
    }
}

#[async_trait]
impl Store for MeteredStore {
    async fn push(&self, push: Push) -> Result<Receipt, StoreError> {
        self.counted("push", self.store.push(push).await, Metrics::pushed)
    }

    async fn push_all(&self, pushes: Vec<Push>) -> Vec<Result<Receipt, StoreError>> {
        let answers = self.store.push_all(pushes).await.into_iter();
        answers.map(|answer| self.counted("push", answer, Metrics::pushed)).collect()
    }

    async fn write(&self, user_id: &UserId, write: Write) -> Result<WriteAnswer, StoreError> {
        let kind = match &write.command {
            InboxCommand::Opened(_) => "opened",
            InboxCommand::Unopened(_) => "unopened",
            InboxCommand::OpenedAll { .. } => "opened_all",
            InboxCommand::Remove(_) => "removed",
            _ => "other",
        };
        let answer = self.store.write(user_id, write).await;
        self.counted("write", answer, |metrics, answer| {
            metrics.changed(kind, u64::from(answer.seq.is_some()))
        })
    }

    async fn retract(&self, id: &NotificationId, at: Timestamp) -> Result<Retraction, StoreError> {
        let retracted = self.store.retract(id, at).await;
        self.counted("retract", retracted, |metrics, retracted| {
            // More are removed, and counted, by `advance`.
            if retracted.removed <= RETRACTED_AT_ONCE {
                metrics.withdrew(retracted.removed);
            }
        })
    }

    async fn advance(&self, now: Timestamp, limit: usize) -> Result<Advanced, StoreError> {
        let advanced = self.store.advance(now, limit).await;
        self.counted("advance", advanced, |metrics, advanced| metrics.advanced(*advanced))
    }

    async fn sweep(&self, sweep: Sweep) -> Result<Swept, StoreError> {
        let is_first = sweep.after.is_none();
        let swept = self.store.sweep(sweep).await;
        self.counted("sweep", swept, |metrics, swept| metrics.swept(is_first, swept))
    }

    async fn page(
        &self,
        user_id: &UserId,
        limit: usize,
        before: Option<u64>,
    ) -> Result<InboxPage, StoreError> {
        self.counted("page", self.store.page(user_id, limit, before).await, |_, _| ())
    }

    async fn notification(
        &self,
        user_id: &UserId,
        id: &NotificationId,
    ) -> Result<Option<InboxNotification>, StoreError> {
        self.counted("notification", self.store.notification(user_id, id).await, |_, _| ())
    }

    async fn changes(
        &self,
        user_id: &UserId,
        after: Position,
        limit: usize,
    ) -> Result<ChangesAnswer, StoreError> {
        self.counted("changes", self.store.changes(user_id, after, limit).await, Metrics::caught_up)
    }

    async fn head(&self, user_id: &UserId) -> Result<Head, StoreError> {
        self.counted("head", self.store.head(user_id).await, |_, _| ())
    }

    fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    fn set_commit_listener(&self, listener: Arc<dyn CommitListener>) {
        self.store.set_commit_listener(listener);
    }

    async fn lock_broker(&self) -> Result<(), StoreError> {
        self.counted("lock_broker", self.store.lock_broker().await, |_, ()| ())
    }

    async fn unpublished_users(&self, limit: usize) -> Result<Vec<UserId>, StoreError> {
        self.counted("behind", self.store.unpublished_users(limit).await, |_, _| ())
    }

    async fn claim_unpublished(
        &self,
        users: &[(UserId, u64)],
        most: PublishLimits,
    ) -> Result<Vec<Unpublished>, StoreError> {
        self.counted("unpublished", self.store.claim_unpublished(users, most).await, |_, _| ())
    }

    async fn mark_published(&self, marks: &[(UserId, u64)]) -> Result<Vec<UserId>, StoreError> {
        self.counted("mark_published", self.store.mark_published(marks).await, |_, _| ())
    }

    async fn unpublished_age(&self) -> Result<Option<Duration>, StoreError> {
        self.counted("unpublished_age", self.store.unpublished_age().await, |_, _| ())
    }

    async fn get_or_insert_setting(&self, name: &str, value: String) -> Result<String, StoreError> {
        self.counted("setting", self.store.get_or_insert_setting(name, value).await, |_, _| ())
    }

    async fn time(&self) -> Result<StoreTime, StoreError> {
        self.counted("time", self.store.time().await, |_, _| ())
    }

    async fn record_time(&self, now: Timestamp, in_doubt: bool) -> Result<(), StoreError> {
        self.counted("record_time", self.store.record_time(now, in_doubt).await, |_, ()| ())
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.counted("ready", self.store.ready().await, |_, ()| ())
    }

    async fn failed(&self) -> &'static str {
        self.store.failed().await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

impl std::fmt::Debug for MeteredStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MeteredStore").finish_non_exhaustive()
    }
}
