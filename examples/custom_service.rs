//! A custom service that wraps another one and can mute its announcements, but not its list.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use internal_notifications::{Announcement, BoxStream, InternalNotificationsService, StreamExt};
use internal_notifications::{async_trait, delegate_service};

/// A service that announces no notification while it is muted.
pub struct DoNotDisturb<S> {
    /// The wrapped service.
    pub service: S,
    /// Whether announcements are muted now.
    pub is_muted: Arc<AtomicBool>,
}

#[async_trait]
impl<S: InternalNotificationsService> InternalNotificationsService for DoNotDisturb<S> {
    fn announcements(&self) -> BoxStream<'static, Announcement> {
        let is_muted = Arc::clone(&self.is_muted);
        let announcements = self.service.announcements();
        let filtered = announcements.filter(move |announcement| {
            let is_new = matches!(announcement, Announcement::Notification(_) | Announcement::Bare(_));
            let is_hidden = is_new && is_muted.load(Ordering::Relaxed);
            async move { !is_hidden }
        });
        filtered.boxed()
    }

    // Everything else is done by the wrapped service.
    delegate_service!(|this| this.service; init, dispose, subscribe, unsubscribe, wake, push, snapshot,
        snapshots, mark_opened, mark_unopened, mark_all_opened, remove, load_older);
}
