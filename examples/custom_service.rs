//! A service of one's own: it wraps any other, and announces nothing new while its user wants quiet. List and count go on: all but the
//! announcements is the other's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures_util::{StreamExt, future::ready, stream::BoxStream};
use internal_notifications::{Announcement, InternalNotificationsService, ServiceError, Snapshot, Written};
use internal_notifications::{InternalNotification, NotificationId, Receipt, UserId, async_trait};

/// The service inside, and whether its user wants quiet.
pub struct DoNotDisturb(pub Arc<dyn InternalNotificationsService>, pub Arc<AtomicBool>);

#[async_trait]
impl InternalNotificationsService for DoNotDisturb {
    fn announcements(&self) -> BoxStream<'static, Announcement> {
        use Announcement::{Bare, Notification};
        let quiet = self.1.clone();
        let told = move |told: &_| ready(!matches!(told, Notification(_) | Bare(_)) || !quiet.load(Relaxed));
        self.0.announcements().filter(told).boxed()
    }
    async fn init(&self) -> Result<(), ServiceError> {
        self.0.init().await
    }
    async fn dispose(&self) {
        self.0.dispose().await;
    }
    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.0.subscribe().await
    }
    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.0.unsubscribe().await
    }
    async fn push(&self, to: &[UserId], what: InternalNotification) -> Result<Receipt, ServiceError> {
        self.0.push(to, what).await
    }
    fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }
    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.0.snapshots()
    }
    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.0.mark_opened(ids).await
    }
    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.0.mark_unopened(ids).await
    }
    async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
        self.0.mark_all_opened().await
    }
    async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError> {
        self.0.remove(id).await
    }
    async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
        self.0.load_older(count).await
    }
}
