//! Stores with a planted bug.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, Receipt, ResetReason,
    Retraction, Timestamp, UserId, WriteAnswer,
};
use internal_notifications_server::store::{
    Advanced, CommitListener, PublishLimits, Push, Store, StoreError, StoreTime, Sweep, Swept, Unpublished,
    Write,
};

/// A store that marks changes as published when the dispatcher reads them.
pub(crate) struct MarksBeforePublishing(pub(crate) Arc<dyn Store>);

impl MarksBeforePublishing {
    async fn unpublished_of(
        &self,
        users: &[(UserId, u64)],
        most: PublishLimits,
    ) -> Result<Vec<Unpublished>, StoreError> {
        let unpublished = self.0.claim_unpublished(users, most).await?;
        let newest = |inbox: &Unpublished| Some((inbox.user_id.clone(), inbox.changes.last()?.stamp.seq));
        let marks: Vec<_> = unpublished.iter().filter_map(newest).collect();
        self.0.mark_published(&marks).await?;
        Ok(unpublished)
    }

    async fn changes_of(
        &self,
        user_id: &UserId,
        after: Position,
        limit: usize,
    ) -> Result<ChangesAnswer, StoreError> {
        self.0.changes(user_id, after, limit).await
    }
}

/// A store that answers a reader behind the trimmed part of the log as if it had missed nothing.
pub(crate) struct TrimsSilently(pub(crate) Arc<dyn Store>);

impl TrimsSilently {
    async fn unpublished_of(
        &self,
        users: &[(UserId, u64)],
        most: PublishLimits,
    ) -> Result<Vec<Unpublished>, StoreError> {
        self.0.claim_unpublished(users, most).await
    }

    async fn changes_of(
        &self,
        user_id: &UserId,
        after: Position,
        limit: usize,
    ) -> Result<ChangesAnswer, StoreError> {
        match self.0.changes(user_id, after, limit).await? {
            ChangesAnswer::Reset { reason: ResetReason::Trimmed, .. } => {
                Ok(ChangesAnswer::changes(Vec::new(), false))
            }
            answer => Ok(answer),
        }
    }
}

macro_rules! store {
    ($($planted:ident),*) => {$(
        #[async_trait]
        impl Store for $planted {
            async fn push(&self, push: Push) -> Result<Receipt, StoreError> {
                self.0.push(push).await
            }

            async fn push_all(&self, pushes: Vec<Push>) -> Vec<Result<Receipt, StoreError>> {
                self.0.push_all(pushes).await
            }

            async fn write(&self, user_id: &UserId, write: Write) -> Result<WriteAnswer, StoreError> {
                self.0.write(user_id, write).await
            }

            async fn retract(&self, id: &NotificationId, at: Timestamp) -> Result<Retraction, StoreError> {
                self.0.retract(id, at).await
            }

            async fn advance(&self, now: Timestamp, limit: usize) -> Result<Advanced, StoreError> {
                self.0.advance(now, limit).await
            }

            async fn sweep(&self, sweep: Sweep) -> Result<Swept, StoreError> {
                self.0.sweep(sweep).await
            }

            async fn page(&self, user_id: &UserId, limit: usize, before: Option<u64>) -> Result<InboxPage, StoreError> {
                self.0.page(user_id, limit, before).await
            }

            async fn notification(
                &self,
                user_id: &UserId,
                id: &NotificationId,
            ) -> Result<Option<InboxNotification>, StoreError> {
                self.0.notification(user_id, id).await
            }

            async fn changes(&self, user_id: &UserId, after: Position, limit: usize) -> Result<ChangesAnswer, StoreError> {
                self.changes_of(user_id, after, limit).await
            }

            async fn head(&self, user_id: &UserId) -> Result<Head, StoreError> {
                self.0.head(user_id).await
            }

            fn is_shared(&self) -> bool {
                self.0.is_shared()
            }

            fn set_commit_listener(&self, listener: Arc<dyn CommitListener>) {
                self.0.set_commit_listener(listener);
            }

            async fn lock_broker(&self) -> Result<(), StoreError> {
                self.0.lock_broker().await
            }

            async fn unpublished_users(&self, limit: usize) -> Result<Vec<UserId>, StoreError> {
                self.0.unpublished_users(limit).await
            }

            async fn claim_unpublished(
                &self,
                users: &[(UserId, u64)],
                most: PublishLimits,
            ) -> Result<Vec<Unpublished>, StoreError> {
                self.unpublished_of(users, most).await
            }

            async fn mark_published(&self, marks: &[(UserId, u64)]) -> Result<Vec<UserId>, StoreError> {
                self.0.mark_published(marks).await
            }

            async fn unpublished_age(&self) -> Result<Option<Duration>, StoreError> {
                self.0.unpublished_age().await
            }

            async fn get_or_insert_setting(&self, name: &str, value: String) -> Result<String, StoreError> {
                self.0.get_or_insert_setting(name, value).await
            }

            async fn time(&self) -> Result<StoreTime, StoreError> {
                self.0.time().await
            }

            async fn record_time(&self, now: Timestamp, in_doubt: bool) -> Result<(), StoreError> {
                self.0.record_time(now, in_doubt).await
            }

            async fn ready(&self) -> Result<(), StoreError> {
                self.0.ready().await
            }

            async fn failed(&self) -> &'static str {
                self.0.failed().await
            }

            async fn close(&self) {
                self.0.close().await;
            }
        }
    )*};
}

store!(MarksBeforePublishing, TrimsSilently);
