use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use internal_notifications_models::{InboxNotification, InternalNotification, Receipt, UserId};

use crate::{InternalNotificationsService, ServiceError, Snapshot, Status};

/// Conveniences for every service.
#[async_trait]
pub trait InternalNotificationsServiceExt: InternalNotificationsService {
    /// Pushes a notification to users, whose ids may be texts.
    ///
    /// # Errors
    /// Fails as [`push`](InternalNotificationsService::push) does. Returns
    /// [`Invalid`](crate::ServiceErrorKind::Invalid) if a text is no user id.
    async fn push_to<U>(
        &self,
        user_ids: U,
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError>
    where
        U: IntoIterator<Item: TryInto<UserId, Error: Into<ServiceError>>> + Send,
    {
        let user_ids = self::user_ids(user_ids)?;
        self.push(&user_ids, notification).await
    }

    /// Returns a stream of the list: as it is now, and after each change of the inbox.
    fn notifications(&self) -> BoxStream<'static, Arc<[Arc<InboxNotification>]>> {
        self.snapshots().map(|snapshot| snapshot.notifications).boxed()
    }

    /// Returns a stream of the pending count: as it is now, and after each change of the inbox.
    fn pending(&self) -> BoxStream<'static, u64> {
        self.snapshots().map(|snapshot| snapshot.pending).boxed()
    }

    /// Waits for a snapshot that fulfils a condition, beginning with the present one.
    ///
    /// Returns `None` if the service is disposed before. The empty snapshot that `dispose` leaves
    /// is not offered to the condition.
    async fn wait_for<F>(&self, condition: F) -> Option<Snapshot>
    where
        F: Fn(&Snapshot) -> bool + Send + Sync,
    {
        let mut snapshots = self.snapshots();
        let mut had_user = false;
        while let Some(snapshot) = snapshots.next().await {
            // Idle after a user: the service was disposed, or did not start.
            let has_ended = had_user && snapshot.status == Status::Idle;
            had_user |= snapshot.status != Status::Idle;
            if !has_ended && condition(&snapshot) {
                return Some(snapshot);
            }
        }
        None
    }

    /// Waits for a snapshot that includes the change `seq`.
    ///
    /// Returns `None` if the service is disposed before.
    async fn wait_until(&self, seq: u64) -> Option<Snapshot> {
        self.wait_for(|snapshot| snapshot.position.seq >= seq).await
    }
}

impl<S: InternalNotificationsService + ?Sized> InternalNotificationsServiceExt for S {}

/// Converts user ids, which may be texts.
///
/// # Errors
/// Returns [`Invalid`](crate::ServiceErrorKind::Invalid) if a text is no user id.
pub fn user_ids<U>(user_ids: U) -> Result<Vec<UserId>, ServiceError>
where
    U: IntoIterator<Item: TryInto<UserId, Error: Into<ServiceError>>>,
{
    user_ids.into_iter().map(|user_id| user_id.try_into().map_err(Into::into)).collect()
}
