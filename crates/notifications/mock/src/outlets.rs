use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use internal_notifications_service::{Announcement, Snapshot};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

/// Where the state leaves the service: from one `dispose` to the next, so that nothing of a user reaches later readers. Dropping it ends its streams.
pub(crate) struct Outlets {
    present: watch::Sender<Snapshot>,
    announcements: broadcast::Sender<Announcement>,
    /// Announcements that a reader has not taken yet are not told any more.
    has_ended: Arc<AtomicBool>,
}

impl Outlets {
    /// `queue` announcements wait for a slow reader; the next power of two, in fact.
    pub(crate) fn new(queue: usize) -> Self {
        Self {
            present: watch::Sender::default(),
            announcements: broadcast::Sender::new(queue),
            has_ended: Arc::default(),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.present.borrow().clone()
    }

    pub(crate) fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        let mut present = self.present.subscribe();
        present.mark_changed();
        stream::unfold(present, |mut present| async {
            present.changed().await.ok()?;
            let snapshot = present.borrow_and_update().clone();
            Some((snapshot, present))
        })
        .boxed()
    }

    pub(crate) fn announcements(&self) -> BoxStream<'static, Announcement> {
        let reader = (self.announcements.subscribe(), Arc::clone(&self.has_ended));
        stream::unfold(reader, |(mut announcements, has_ended)| async {
            let next = match announcements.recv().await {
                Ok(announcement) => announcement,
                Err(RecvError::Lagged(_)) => Announcement::Skipped,
                Err(RecvError::Closed) => return None,
            };
            (!has_ended.load(Ordering::SeqCst)).then_some((next, (announcements, has_ended)))
        })
        .boxed()
    }

    /// Tells the state, if it is another, and then what is to be announced of it.
    pub(crate) fn tell(&self, snapshot: Snapshot, announcements: Vec<Announcement>) {
        self.present.send_if_modified(|present| {
            let is_another = *present != snapshot;
            *present = snapshot;
            is_another
        });
        for announcement in announcements {
            let _ = self.announcements.send(announcement);
        }
    }
}

impl Drop for Outlets {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::SeqCst);
        self.present.send_replace(Snapshot::default());
    }
}
