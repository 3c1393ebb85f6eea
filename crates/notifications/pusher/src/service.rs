use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use internal_notifications_models::{
    InternalNotification, MAX_IDS, MarkRequest, NotificationId, PushRequest, Receipt, UserId,
};
use internal_notifications_service::{
    Announcement, InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot,
};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::actor::Command;
use crate::api::InboxApi;
use crate::outlets::Outlets;
use crate::settings::Settings;
use crate::start::{self, Started};
use crate::write::{Session, not_initialized};
use crate::{PusherServiceBuilder, Updates};

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

    pub(crate) fn new(settings: Settings) -> Self {
        let state = State { outlets: Arc::new(Outlets::new()), run: None };
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
            Some(Ok(api)) if !run.commands.is_closed() => Arc::clone(api),
            _ => return Err(not_initialized()),
        };
        Ok(Session {
            settings: Arc::clone(&self.0.settings),
            api,
            commands: run.commands.clone(),
            position: state.outlets.snapshot().position,
        })
    }

    async fn command(
        &self,
        command: impl FnOnce(oneshot::Sender<()>) -> Command,
    ) -> Result<(), ServiceError> {
        let session = self.session()?;
        let (done, wait) = oneshot::channel();
        session.commands.send(command(done)).await.map_err(|_| not_initialized())?;
        wait.await.map_err(|_| not_initialized())
    }

    async fn mark(&self, ids: &[NotificationId], opened: bool) -> Result<(), ServiceError> {
        let session = self.session()?;
        for ids in ids.chunks(MAX_IDS) {
            let op = Some(session.settings.op()?);
            let request = MarkRequest { ids: Some(ids.to_vec()), op, ..MarkRequest::default() };
            session.write(|| mark(&session.api, &request, opened)).await?;
        }
        Ok(())
    }
}

async fn mark(
    api: &InboxApi,
    request: &MarkRequest,
    opened: bool,
) -> Result<internal_notifications_models::WriteAnswer, crate::refusal::Refusal> {
    match opened {
        true => api.mark_opened(request).await,
        false => api.mark_unopened(request).await,
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

    /// Ends the task, with its requests and its connection, and returns when it has ended.
    async fn dispose(&self) {
        let _alone = self.0.lifecycle.lock().await;
        let (outlets, run) = {
            let mut state = self.0.state();
            let Some(run) = state.run.take() else { return };
            (std::mem::replace(&mut state.outlets, Arc::new(Outlets::new())), run)
        };
        let mut run = run;
        run.task.abort();
        let _ = (&mut run.task).await;
        outlets.close();
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.command(Command::Subscribe).await
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        self.command(Command::Unsubscribe).await
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
        let notification = session.settings.with_id(notification)?;
        let request = PushRequest { user_ids: user_ids.to_vec(), notification };
        session.send(|| session.api.push(&request)).await.map_err(|refusal| refusal.error)
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

    /// Sent again with the same operation id while its outcome is unknown, so that it is done once. Returns when the snapshot shows it; when
    /// that takes longer than 10 s, or live events are stopped, as soon as the server has acknowledged it.
    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<(), ServiceError> {
        self.mark(ids, true).await
    }

    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<(), ServiceError> {
        self.mark(ids, false).await
    }

    async fn mark_all_opened(&self) -> Result<(), ServiceError> {
        let session = self.session()?;
        let seen = session.position;
        if seen.seq == 0 {
            return Ok(());
        }
        let op = Some(session.settings.op()?);
        let request = MarkRequest { ids: None, all: true, through: Some(seen.seq), tag: seen.tag, op };
        session.write(|| session.api.mark_opened(&request)).await
    }

    async fn remove(&self, id: &NotificationId) -> Result<(), ServiceError> {
        let session = self.session()?;
        let op = session.settings.op()?;
        session.write(|| session.api.remove(id, &op)).await
    }
}

impl fmt::Debug for PusherService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PusherService")
            .field("server", &self.0.settings.base.host())
            .field("status", &self.snapshot().status)
            .finish_non_exhaustive()
    }
}
