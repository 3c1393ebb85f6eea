use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use internal_notifications_models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_service::{
    Announcement, InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot, Written,
};
use tokio::sync::Notify;

use crate::device::Device;
use crate::hub::Shared;
use crate::service_builder::Settings;
use crate::{Call, MockHub};

/// One user's inbox on one device, in memory. Cheap to clone; clones are the same device. With the last one it leaves the hub, and its
/// streams end.
///
/// Its calls are done when they are first polled, but for a push that [waits](crate::OfflinePush::Wait) for a connection.
#[derive(Clone)]
pub struct MockService(Arc<Handle>);

struct Handle {
    hub: Arc<Shared>,
    id: u64,
    changed: Arc<Notify>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.hub.state().forget(self.id);
    }
}

impl MockService {
    pub(crate) fn new(hub: &MockHub, user: &str, settings: Settings) -> Self {
        let (id, changed) = hub.0.state().add(user, settings);
        Self(Arc::new(Handle { hub: Arc::clone(&hub.0), id, changed }))
    }

    /// The hub that it is a service of.
    pub fn hub(&self) -> MockHub {
        MockHub(Arc::clone(&self.0.hub))
    }

    /// Who its user is, from the next `init` on: after a `dispose`, this switches the user of an app.
    pub fn set_user(&self, user: impl AsRef<str>) {
        self.0.hub.state().set_user(self.0.id, user.as_ref());
    }

    /// Cuts the connection.
    pub fn go_offline(&self) {
        self.0.hub.state().set_online(self.0.id, false);
    }

    /// The connection is back: what was missed is caught up, and what waits is sent.
    pub fn go_online(&self) {
        self.0.hub.state().set_online(self.0.id, true);
    }

    /// Loses the next `events` live events on the way here: a gap that the one after them shows, or a position check.
    pub fn drop_next_events(&self, events: usize) {
        self.with(|device| device.faults.drop_next(events));
    }

    /// The next live event that is not dropped arrives twice.
    pub fn duplicate_next_event(&self) {
        self.with(|device| device.faults.repeat_next());
    }

    /// Compares the position with the hub's, as happens from time to time on every connection: finds out what was lost.
    pub fn check_position(&self) {
        self.0.hub.state().check_position(self.0.id);
    }

    /// The next call of this kind errs so, and does nothing else. Several are used up in order.
    pub fn fail_next(&self, call: Call, kind: ServiceErrorKind) {
        self.with(|device| device.faults.fail_next(call, kind));
    }

    /// The next write that was queued while offline is refused so when it is sent. Several are used up in order.
    pub fn refuse_next_queued_write(&self, kind: ServiceErrorKind) {
        self.with(|device| device.faults.refuse_next_queued(kind));
    }

    /// The hub knows every device that has a handle.
    fn with<T>(&self, of: impl FnOnce(&mut Device) -> T) -> Option<T> {
        self.0.hub.state().device(self.0.id).ok().map(of)
    }
}

#[async_trait]
impl InternalNotificationsService for MockService {
    async fn init(&self) -> Result<(), ServiceError> {
        self.0.hub.state().init(self.0.id)
    }

    async fn dispose(&self) {
        self.0.hub.state().dispose(self.0.id);
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.0.hub.state().subscribe(self.0.id)
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.0.hub.state().unsubscribe(self.0.id)
    }

    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        let mut session = None;
        loop {
            let changed = self.0.changed.notified();
            let tried = self.0.hub.state().push_from(self.0.id, &mut session, user_ids, &notification);
            match tried {
                Some(outcome) => return outcome,
                None => changed.await,
            }
        }
    }

    fn snapshot(&self) -> Snapshot {
        self.with(|device| device.outlets.snapshot()).unwrap_or_default()
    }

    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.with(|device| device.outlets.snapshots()).unwrap_or_else(|| stream::empty().boxed())
    }

    fn announcements(&self) -> BoxStream<'static, Announcement> {
        self.with(|device| device.outlets.announcements()).unwrap_or_else(|| stream::empty().boxed())
    }

    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.0.hub.state().mark(self.0.id, ids, true)
    }

    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.0.hub.state().mark(self.0.id, ids, false)
    }

    async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
        self.0.hub.state().mark_all_opened(self.0.id)
    }

    async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError> {
        self.0.hub.state().remove(self.0.id, id)
    }

    /// [`Unavailable`](ServiceErrorKind::Unavailable) also while live events are stopped: an older page would bring news with it.
    async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
        self.0.hub.state().load_older(self.0.id, count)
    }
}

impl fmt::Debug for MockService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockService").field("status", &self.snapshot().status).finish_non_exhaustive()
    }
}
