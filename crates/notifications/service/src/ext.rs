use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use internal_notifications_models::InboxNotification;

use crate::{InternalNotificationsService, Snapshot};

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

    /// The first snapshot, from the present one on, that is as wanted; none when the service is disposed before.
    async fn wait_for<F>(&self, wanted: F) -> Option<Snapshot>
    where
        F: Fn(&Snapshot) -> bool + Send + Sync,
    {
        let mut snapshots = self.snapshots();
        while let Some(snapshot) = snapshots.next().await {
            if wanted(&snapshot) {
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
