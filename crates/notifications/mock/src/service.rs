use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use internal_notifications_models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_service::{
    Announcement, Identity, InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot, Status,
    Written,
};
use tokio::sync::Notify;

use crate::device::{Device, not_initialized};
use crate::hub::Shared;
use crate::service_builder::Settings;
use crate::sign_in::SignIn;
use crate::{Call, MockHub, MockServiceBuilder};

/// One user's inbox on one device, in memory. Clones are the same device.
///
/// Every call completes when it is first polled, except one that the test [holds](Self::hold), a
/// push that [waits](crate::OfflinePush::Wait) for the connection, and an `init` whose
/// [identity](MockServiceBuilder::identity) takes its time. Dropping the last clone removes the
/// device from the hub and ends its streams.
#[derive(Clone)]
pub struct MockService(Arc<Handle>);

struct Handle {
    hub: Arc<Shared>,
    id: u64,
    changed: Arc<Notify>,
    sign_in: SignIn,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.hub.state().forget(self.id);
    }
}

impl MockService {
    /// Creates a builder. [`MockHub::service`] is a shorter way to a service with default settings.
    pub fn builder() -> MockServiceBuilder {
        MockServiceBuilder::new()
    }

    pub(crate) fn new(
        hub: &MockHub,
        user: Option<&str>,
        identity: Option<Arc<dyn Identity>>,
        settings: Settings,
    ) -> Self {
        let (id, changed) = hub.0.state().add(user, settings);
        let sign_in = SignIn::new(identity);
        Self(Arc::new(Handle { hub: Arc::clone(&hub.0), id, changed, sign_in }))
    }

    /// Returns the hub of the service.
    pub fn hub(&self) -> MockHub {
        MockHub(Arc::clone(&self.0.hub))
    }

    /// Sets the user of the next `init`. To switch the user of an app, call it after `dispose`.
    pub fn set_user(&self, user: impl AsRef<str>) {
        self.0.hub.state().set_user(self.0.id, user.as_ref());
    }

    /// Cuts the connection of this device.
    pub fn go_offline(&self) {
        self.0.hub.state().set_online(self.0.id, false);
    }

    /// Restores the connection: the service catches up and sends what waits.
    pub fn go_online(&self) {
        self.0.hub.state().set_online(self.0.id, true);
    }

    /// Drops the next `events` live events on their way to this device. The service detects the gap
    /// at the event after them, or at a position check.
    pub fn drop_next_events(&self, events: usize) {
        self.with_device(|device| device.faults.drop_next_events(events));
    }

    /// Delivers the next live event that is not dropped twice.
    pub fn duplicate_next_event(&self) {
        self.with_device(|device| device.faults.duplicate_next_event());
    }

    /// Compares the position with the hub's and catches up if it differs. A real service does this
    /// from time to time.
    pub fn check_position(&self) {
        self.0.hub.state().check_position(self.0.id);
    }

    /// Makes the next call of this kind fail with this error, without another effect. If it is
    /// called several times, the failures are used up in order.
    pub fn fail_next(&self, call: Call, kind: ServiceErrorKind) {
        self.with_device(|device| device.faults.fail_next(call, kind));
    }

    /// Makes the hub refuse the next queued write with this error when it is sent. If it is called
    /// several times, the refusals are used up in order.
    pub fn refuse_next_queued_write(&self, kind: ServiceErrorKind) {
        self.with_device(|device| device.faults.refuse_next_queued(kind));
    }

    /// Makes calls of this kind wait, without an effect, until [`release`](Self::release): a server
    /// that is slow or does not answer. While an `init` waits, the status is
    /// [`Starting`](Status::Starting). A call that waits when the service is disposed fails.
    pub fn hold(&self, call: Call) {
        self.0.hub.state().hold(self.0.id, call, true);
    }

    /// Lets calls of this kind go on.
    pub fn release(&self, call: Call) {
        self.0.hub.state().hold(self.0.id, call, false);
    }

    /// Withholds what the service asks for to catch up, until
    /// [`release_catch_up`](Self::release_catch_up). Until then the status is
    /// [`CatchingUp`](Status::CatchingUp), changes do not show, and writes are
    /// [`Queued`](Written::Queued).
    pub fn hold_catch_up(&self) {
        self.0.hub.state().hold_catch_up(self.0.id, true);
    }

    /// Lets the service catch up.
    pub fn release_catch_up(&self) {
        self.0.hub.state().hold_catch_up(self.0.id, false);
    }

    /// Refuses the user's token from now on, as after it has expired, until
    /// [`accept_token`](Self::accept_token). The status is [`Failed`](Status::Failed), writes are
    /// [`Queued`](Written::Queued), and `init` and pushes fail with
    /// [`Unauthorized`](ServiceErrorKind::Unauthorized).
    pub fn refuse_token(&self) {
        self.0.hub.state().set_refused(self.0.id, true);
    }

    /// Accepts the user's token again, as after a new sign-in: the service catches up and sends
    /// what waits.
    pub fn accept_token(&self) {
        self.0.hub.state().set_refused(self.0.id, false);
    }

    /// Waits while calls of this kind are held. Returns an error if the service is disposed
    /// meanwhile.
    async fn released(&self, call: Call) -> Result<(), ServiceError> {
        let disposals = |device: &mut Device| device.disposals;
        let before = self.with_device(disposals);
        loop {
            let changed = self.0.changed.notified();
            if self.with_device(disposals) != before {
                return Err(not_initialized());
            }
            if self.with_device(|device| device.faults.is_held(call)) != Some(true) {
                return Ok(());
            }
            changed.await;
        }
    }

    /// Calls a function with the device, which the hub keeps while a handle exists.
    fn with_device<T>(&self, call: impl FnOnce(&mut Device) -> T) -> Option<T> {
        self.0.hub.state().device(self.0.id).ok().map(call)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl InternalNotificationsService for MockService {
    async fn init(&self) -> Result<(), ServiceError> {
        let starting = Starting::of(self);
        self.released(Call::Init).await?;
        drop(starting);
        let _guard = self.0.sign_in.before_init().await;
        if self.snapshot().status == Status::Idle {
            if let Some(user) = self.0.sign_in.user().await? {
                self.set_user(user);
            }
        }
        self.0.hub.state().init(self.0.id)
    }

    async fn dispose(&self) {
        let _guard = self.0.sign_in.before_dispose().await;
        self.0.hub.state().dispose(self.0.id);
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.released(Call::Subscribe).await?;
        self.0.hub.state().subscribe(self.0.id)
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.0.hub.state().unsubscribe(self.0.id)
    }

    /// Checks the position as [`check_position`](Self::check_position) does.
    async fn wake(&self) -> Result<(), ServiceError> {
        self.released(Call::Wake).await?;
        self.0.hub.state().wake(self.0.id)
    }

    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        self.released(Call::Push).await?;
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
        self.with_device(|device| device.publisher.snapshot()).unwrap_or_default()
    }

    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.with_device(|device| device.publisher.snapshots()).unwrap_or_else(|| stream::empty().boxed())
    }

    fn announcements(&self) -> BoxStream<'static, Announcement> {
        self.with_device(|device| device.publisher.announcements()).unwrap_or_else(|| stream::empty().boxed())
    }

    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.released(Call::Write).await?;
        self.0.hub.state().mark(self.0.id, ids, true)
    }

    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.released(Call::Write).await?;
        self.0.hub.state().mark(self.0.id, ids, false)
    }

    async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
        self.released(Call::Write).await?;
        self.0.hub.state().mark_all_opened(self.0.id)
    }

    async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError> {
        self.released(Call::Write).await?;
        self.0.hub.state().remove(self.0.id, id)
    }

    /// Fails with [`Unavailable`](ServiceErrorKind::Unavailable) also after `unsubscribe`, because
    /// an older page would bring new changes with it.
    async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
        self.released(Call::LoadOlder).await?;
        self.0.hub.state().load_older(self.0.id, count)
    }
}

impl fmt::Debug for MockService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockService").field("status", &self.snapshot().status).finish_non_exhaustive()
    }
}

/// Shows that a held `init` waits, while it exists.
struct Starting<'a>(Option<&'a MockService>);

impl<'a> Starting<'a> {
    fn of(service: &'a MockService) -> Self {
        let is_held =
            service.with_device(|device| device.session.is_none() && device.faults.is_held(Call::Init));
        let held = Some(service).filter(|_| is_held == Some(true));
        if let Some(MockService(handle)) = held {
            handle.hub.state().set_starting(handle.id, true);
        }
        Self(held)
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        if let Some(MockService(handle)) = self.0 {
            handle.hub.state().set_starting(handle.id, false);
        }
    }
}
