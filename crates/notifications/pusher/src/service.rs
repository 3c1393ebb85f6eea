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

use crate::command::Command;
use crate::outlets::Outlets;
use crate::session::{Session, not_initialized};
use crate::settings::{Settings, Target};
use crate::start::{self, Started};
use crate::{Channels, PusherServiceBuilder, Updates};

/// Commands that may wait for the actor; it serves them at once.
const COMMANDS: usize = 64;

/// The inbox of a user, live over Pusher Channels and complete by catch-up. Cheap to clone; its task and its connection end with the last
/// clone, or with `dispose`.
///
/// Streams that were taken before `init` go on with what `init` brings; `dispose` ends them.
#[derive(Clone)]
pub struct PusherService(Arc<Inner>);

struct Inner {
    settings: Arc<Settings>,
    /// Held while a task starts or ends.
    lifecycle: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    outlets: Arc<Outlets>,
    run: Option<Run>,
}

/// The task of an initialized service.
struct Run {
    commands: mpsc::Sender<Command>,
    started: watch::Receiver<Started>,
    task: JoinHandle<()>,
}

impl PusherService {
    /// Sets up a service for the inbox server at `server_url`: `http(s)://host[:port][/path]`.
    pub fn builder(server_url: impl Into<String>) -> PusherServiceBuilder {
        PusherServiceBuilder::new(server_url.into())
    }

    /// Sets up a live-only service: one without an inbox server. Its list and count are what came over the channel since `init` and while it was
    /// connected, each id once, and opened or removed on this device alone; of more than 5,000 the newest are kept. It reads the events
    /// `internal-notification` (or the builder's) and `Internal Notification`. Its pushes err with [`ServiceErrorKind::Disabled`].
    ///
    /// A channel that is refused is asked for again after a minute, or the builder's [`position_check`](PusherServiceBuilder::position_check).
    pub fn live_only(channels: Channels) -> PusherServiceBuilder {
        PusherServiceBuilder::live_only(channels)
    }

    /// Whether it is a live-only service.
    pub fn is_live_only(&self) -> bool {
        matches!(self.0.settings.target, Target::LiveOnly(..))
    }

    pub(crate) fn new(settings: Settings) -> Self {
        let outlets = Outlets::new(settings.announcement_queue);
        let state = State { outlets: Arc::new(outlets), run: None };
        Self(Arc::new(Inner {
            settings: Arc::new(settings),
            lifecycle: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
        }))
    }

    /// The state as it is, then everything that happens to it in exact order. For those who must see each change; apps rather show
    /// [`snapshots`](InternalNotificationsService::snapshots).
    pub fn updates(&self) -> Updates {
        Updates::of(&self.0.outlets())
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
            outlets: Arc::clone(&state.outlets),
            position: state.outlets.snapshot().position,
        })
    }

    async fn mark(
        &self,
        ids: &[NotificationId],
        mark: impl Fn(Vec<NotificationId>) -> InboxCommand,
    ) -> Result<Written, ServiceError> {
        let writes = ids.chunks(MAX_IDS).map(|ids| mark(ids.to_vec())).collect();
        self.session()?.write(writes).await
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outlets(&self) -> Arc<Outlets> {
        Arc::clone(&self.state().outlets)
    }

    /// The task, started unless it runs.
    fn run(&self) -> Result<watch::Receiver<Started>, ServiceError> {
        let mut state = self.state();
        if let Some(run) = state.run.as_ref().filter(|run| !run.has_ended()) {
            return Ok(run.started.clone());
        }
        let runtime = Handle::try_current().map_err(|_| {
            ServiceError::new(ServiceErrorKind::Configuration, "the service needs a tokio runtime")
        })?;
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (tell, started) = watch::channel(None);
        let (settings, outlets) = (Arc::clone(&self.settings), Arc::clone(&state.outlets));
        let task = runtime.spawn(start::run(settings, outlets, inbox, tell));
        state.run = Some(Run { commands, started: started.clone(), task });
        Ok(started)
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
    /// Asks for the identity, where the live channel is, and for the first snapshot; subscribes in the background. Calls at the same time
    /// share one attempt, which goes on if their futures are dropped.
    async fn init(&self) -> Result<(), ServiceError> {
        let mut started = {
            let _alone = self.0.lifecycle.lock().await;
            self.0.run()?
        };
        match &*started.wait_for(Option::is_some).await.map_err(|_| not_initialized())? {
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Ends the task, with its requests and its connection, and returns when it has ended. Writes that are queued are dropped; one that is under
    /// way may have been done.
    async fn dispose(&self) {
        let _alone = self.0.lifecycle.lock().await;
        let (outlets, run) = {
            let mut state = self.0.state();
            let Some(run) = state.run.take() else { return };
            (
                std::mem::replace(
                    &mut state.outlets,
                    Arc::new(Outlets::new(self.0.settings.announcement_queue)),
                ),
                run,
            )
        };
        let mut run = run;
        run.task.abort();
        // Before the wait, where this future may be dropped.
        outlets.close();
        let _ = (&mut run.task).await;
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.session()?.call(Command::Subscribe).await
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.session()?.call(Command::Unsubscribe).await
    }

    /// Without an id the notification gets one here, so that sending it again after a broken connection stores it once. The receipt of
    /// such a repeat may count as duplicates what its first sending stored.
    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        let session = self.session()?;
        notification
            .check()
            .map_err(|error| ServiceError::new(ServiceErrorKind::Invalid, error.to_string()))?;
        session.push(user_ids, notification).await
    }

    fn snapshot(&self) -> Snapshot {
        self.0.outlets().snapshot()
    }

    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        self.0.outlets().snapshots()
    }

    fn announcements(&self) -> BoxStream<'static, Announcement> {
        self.0.outlets().announcements()
    }

    /// Sent by HTTP, whether the live channel stands or not, and again with the same operation id while its outcome is unknown. It is
    /// [`Queued`](Written::Queued) once an attempt has failed, or has no outcome within 2 s while the status is
    /// [`Offline`](internal_notifications_service::Status::Offline), else within the builder's `call_timeout`. While live events are stopped it is
    /// [`Stored`](Written::Stored) as soon as the server has it.
    ///
    /// At most 500 writes wait for the server, and 5,000 for the state: so many while live events are stopped.
    ///
    /// More than 500 ids are several operations: when one is refused, those after it are not sent.
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

    /// [`Unavailable`](ServiceErrorKind::Unavailable) also while live events are stopped: an older page would bring news with it.
    async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
        self.session()?.call(|outcome| Command::LoadOlder(count, outcome)).await
    }
}

impl fmt::Debug for PusherService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("PusherService");
        match &self.0.settings.target {
            Target::Server(endpoint) => f.field("server", &endpoint.base.host()),
            Target::LiveOnly(channels, _) => f.field("live_only", channels),
        };
        f.field("status", &self.snapshot().status).finish_non_exhaustive()
    }
}
