mod actor;
mod authorizer;
mod builder;
mod channels;
mod check_delay;
mod command;
mod inbox_api;
mod keeper;
mod live_channel;
mod live_only;
mod publisher;
mod session;
mod settings;
mod start;
mod update;
mod updates;
mod user_authenticator;
mod user_tokens;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use internal_notifications_models::{InternalNotification, MAX_IDS, NotificationId, Receipt, UserId};
use internal_notifications_service::{
    Announcement, InboxCommand, InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot,
    Written,
};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub use builder::PusherServiceBuilder;
pub use channels::Channels;
pub use internal_notifications_service::{Credentials, Identity};
pub use update::Update;
pub use updates::Updates;

use command::Command;
use keeper::Keeper;
use publisher::Publisher;
use session::{Session, not_initialized};
use settings::{Settings, Target};
use start::StartResult;

/// How many commands may be queued for the task, which serves them at once.
const COMMANDS: usize = 64;

/// A user's inbox, live over Pusher Channels and complete by catch-up.
///
/// Cheap to clone. Its task and its connection end with the last clone, or with `dispose`, which
/// also ends the streams. A stream that is created before `init` continues with what `init` loads.
#[derive(Clone)]
pub struct PusherService(Arc<Inner>);

struct Inner {
    settings: Arc<Settings>,
    /// Held while a task starts or ends.
    lifecycle: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    publisher: Arc<Publisher>,
    run: Option<Run>,
}

/// The task of an initialized service. Dropping it ends the task.
struct Run {
    commands: mpsc::Sender<Command>,
    started: watch::Receiver<StartResult>,
    task: JoinHandle<()>,
    keeper: Keeper,
    runtime: Handle,
}

impl PusherService {
    /// Creates a builder.
    pub fn builder() -> PusherServiceBuilder {
        PusherServiceBuilder::new()
    }

    /// Returns whether the service is [live-only](PusherServiceBuilder::channels).
    pub fn is_live_only(&self) -> bool {
        matches!(self.0.settings.target, Target::LiveOnly(..))
    }

    pub(crate) fn new(settings: Settings) -> Self {
        let publisher = Publisher::new(settings.options.announcement_queue);
        let state = State { publisher: Arc::new(publisher), run: None };
        Self(Arc::new(Inner {
            settings: Arc::new(settings),
            lifecycle: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
        }))
    }

    /// Returns a stream of the present state and then every change in exact order.
    ///
    /// Most apps want [`snapshots`](InternalNotificationsService::snapshots) instead.
    pub fn updates(&self) -> Updates {
        Updates::of(&self.0.publisher())
    }

    fn session(&self) -> Result<Session, ServiceError> {
        let state = self.0.state();
        let run = state.run.as_ref().ok_or_else(not_initialized)?;
        let api = match &*run.started.borrow() {
            Some(Ok(api)) if !run.commands.is_closed() => api.clone(),
            _ => return Err(not_initialized()),
        };
        Ok(Session {
            settings: Arc::clone(&self.0.settings),
            api,
            commands: run.commands.clone(),
            publisher: Arc::clone(&state.publisher),
            position: state.publisher.snapshot().position,
        })
    }

    async fn mark(
        &self,
        ids: &[NotificationId],
        command: impl Fn(Vec<NotificationId>) -> InboxCommand,
    ) -> Result<Written, ServiceError> {
        let writes = ids.chunks(MAX_IDS).map(|ids| command(ids.to_vec())).collect();
        self.session()?.write(writes).await
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publisher(&self) -> Arc<Publisher> {
        Arc::clone(&self.state().publisher)
    }

    /// Starts the task unless it runs. Returns how the start goes.
    fn start(&self) -> Result<watch::Receiver<StartResult>, ServiceError> {
        let mut state = self.state();
        if let Some(run) = state.run.as_ref().filter(|run| !run.has_ended()) {
            return Ok(run.started.clone());
        }
        let runtime = Handle::try_current().map_err(|_| {
            ServiceError::new(ServiceErrorKind::Configuration, "init must be called within a tokio runtime")
        })?;
        if state.publisher.is_closed() {
            state.publisher = Arc::new(Publisher::new(self.settings.options.announcement_queue));
        }
        let (sender, commands) = mpsc::channel(COMMANDS);
        let (report, started) = watch::channel(None);
        let (settings, publisher) = (Arc::clone(&self.settings), Arc::clone(&state.publisher));
        let keeper = Keeper::default();
        let task = runtime.spawn(start::run(settings, publisher, keeper.clone(), commands, report));
        state.run = Some(Run { commands: sender, started: started.clone(), task, keeper, runtime });
        Ok(started)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.publisher().close();
    }
}

impl Run {
    fn has_ended(&self) -> bool {
        self.commands.is_closed() || matches!(&*self.started.borrow(), Some(Err(_)))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl InternalNotificationsService for PusherService {
    /// Gets the credentials, the address of the live channel and the first snapshot, and subscribes
    /// in the background.
    ///
    /// If the [storage](PusherServiceBuilder::storage) has kept the inbox, it gets no more than the
    /// credentials, and returns with the inbox as it was kept. What was missed since then is added
    /// and announced as after any interruption.
    ///
    /// Calls at the same time share one attempt, which continues if their futures are dropped.
    async fn init(&self) -> Result<(), ServiceError> {
        let mut started = {
            let _guard = self.0.lifecycle.lock().await;
            self.0.start()?
        };
        match &*started.wait_for(Option::is_some).await.map_err(|_| not_initialized())? {
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Ends the task with its requests and its connection, and returns when it has ended.
    ///
    /// Queued writes are dropped; one that is being sent may still be stored. What the storage has
    /// kept of the inbox is removed, also if `init` could not read it. To keep it, drop the service
    /// instead. Nothing is removed unless an `init` before it has got the user from the identity.
    async fn dispose(&self) {
        let _guard = self.0.lifecycle.lock().await;
        let (publisher, mut run) = {
            let mut state = self.0.state();
            let Some(run) = state.run.take() else { return };
            let next = Arc::new(Publisher::new(self.0.settings.options.announcement_queue));
            (std::mem::replace(&mut state.publisher, next), run)
        };
        // Before the task ends, which otherwise reports that, and before the await, where this
        // future may be dropped.
        publisher.close();
        run.task.abort();
        // What it does goes on if this future is dropped.
        let (runtime, keeper) = (run.runtime.clone(), run.keeper.clone());
        let after_runtime = keeper.clone();
        let forgotten = runtime.spawn(async move {
            let _ = (&mut run.task).await;
            keeper.forget().await;
        });
        // The runtime of the task may have ended.
        if forgotten.await.is_err() && Handle::try_current().is_ok() {
            after_runtime.forget().await;
        }
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.session()?.call(Command::Subscribe).await
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.session()?.call(Command::Unsubscribe).await
    }

    /// The connection is pinged, or dialled again, the position is checked, and waiting writes are
    /// sent, without regard to earlier failures. A service that the server refused asks for a fresh
    /// token.
    ///
    /// A jump of the machine's clock, as after a sleep, has the same effect within 10 s, but not in
    /// a live-only service.
    async fn wake(&self) -> Result<(), ServiceError> {
        self.session()?.call(Command::Wake).await
    }

    /// A notification without an id gets one here, so that retries store it once. The receipt of a
    /// retry may count recipients as duplicates that the first attempt stored.
    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        let session = self.session()?;
        notification.check()?;
        session.push(user_ids, notification).await
    }

    fn snapshot(&self) -> Snapshot {
        self.0.publisher().snapshot()
    }

    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.0.publisher().snapshots()
    }

    fn announcements(&self) -> BoxStream<'static, Announcement> {
        self.0.publisher().announcements()
    }

    /// The write is sent by HTTP, whether or not the live channel is up, and repeated with the same
    /// operation id while its outcome is unknown.
    ///
    /// It is [`Queued`](Written::Queued) once an attempt has failed, or if there is no outcome
    /// within the call timeout, or within 2 s while the status is
    /// [`Offline`](internal_notifications_service::Status::Offline). While live events are
    /// stopped, it is [`Stored`](Written::Stored) as soon as the server has it.
    ///
    /// At most 500 writes may wait for the server, and 5,000 for the replica while live events are
    /// stopped. More than 500 ids make several writes; if one is rejected, those after it are not
    /// sent.
    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.mark(ids, InboxCommand::Opened).await
    }

    /// As [`mark_opened`](Self::mark_opened).
    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.mark(ids, InboxCommand::Unopened).await
    }

    /// As [`mark_opened`](Self::mark_opened).
    async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
        let session = self.session()?;
        let seen = session.position;
        if seen.seq == 0 {
            return Ok(Written::Stored);
        }
        session.write(vec![InboxCommand::OpenedAll { through: Some(seen.seq), tag: seen.tag }]).await
    }

    /// As [`mark_opened`](Self::mark_opened).
    async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError> {
        self.session()?.write(vec![InboxCommand::Remove(id.clone())]).await
    }

    /// Returns [`Unavailable`](ServiceErrorKind::Unavailable) also while live events are stopped,
    /// since an older page would bring newer changes with it.
    async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
        self.session()?.call(|reply| Command::LoadOlder(count, reply)).await
    }
}

impl fmt::Debug for PusherService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("PusherService");
        match &self.0.settings.target {
            Target::Server(endpoint) => f.field("server", &endpoint.base.url().as_str()),
            Target::LiveOnly(channels, _) => f.field("live_only", channels),
        };
        f.field("status", &self.snapshot().status).finish_non_exhaustive()
    }
}
