use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use internal_notifications_models::InboxNotification;

use crate::{InternalNotificationsService, Snapshot, Status};

/// Conveniences over any service.
#[async_trait]
pub trait InternalNotificationsServiceExt: InternalNotificationsService {
    /// The list now, and whenever the inbox changes.
    fn notifications(&self) -> BoxStream<'static, Arc<[Arc<InboxNotification>]>> {
        self.snapshots().map(|snapshot| snapshot.notifications).boxed()
    }

    /// The pending count now, and whenever the inbox changes.
    fn pending(&self) -> BoxStream<'static, u64> {
        self.snapshots().map(|snapshot| snapshot.pending).boxed()
    }

    /// The first snapshot, from the present one on, that is as wanted; none when the service is disposed before. What `dispose` leaves, an empty
    /// one, is not taken for it.
    async fn wait_for<F>(&self, wanted: F) -> Option<Snapshot>
    where
        F: Fn(&Snapshot) -> bool + Send + Sync,
    {
        let mut snapshots = self.snapshots();
        let mut had_user = false;
        while let Some(snapshot) = snapshots.next().await {
            // After a user it is the end, or a start that failed.
            let has_ended = had_user && snapshot.status == Status::Idle;
            had_user |= snapshot.status != Status::Idle;
            if !has_ended && wanted(&snapshot) {
                return Some(snapshot);
            }
        }
        None
    }

    /// The first snapshot that has the change of this seq; none when the service is disposed before.
    async fn wait_until(&self, seq: u64) -> Option<Snapshot> {
        self.wait_for(|snapshot| snapshot.position.seq >= seq).await
    }
}

impl<S: InternalNotificationsService + ?Sized> InternalNotificationsServiceExt for S {}
