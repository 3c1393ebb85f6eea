use std::future::Future;
use std::sync::Arc;

use internal_notifications_models::{InternalNotification, Position, PushRequest, Receipt, UserId};
use internal_notifications_service::{InboxCommand, OfflinePush, ServiceError, ServiceErrorKind, Written};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::api::InboxApi;
use crate::command::{Command, Outcome};
use crate::outlets::Outlets;
use crate::refusal::Refusal;
use crate::retry;
use crate::settings::Settings;

/// An initialized service, as a call sees it.
pub(crate) struct Session {
    pub(crate) settings: Arc<Settings>,
    /// None in a live-only service.
    pub(crate) api: Option<Arc<InboxApi>>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) outlets: Arc<Outlets>,
    /// The position of the state when the call was made.
    pub(crate) position: Position,
}

impl Session {
    /// Has the task do something, and returns what came of it.
    pub(crate) async fn call<T>(
        &self,
        command: impl FnOnce(Outcome<T>) -> Command,
    ) -> Result<T, ServiceError> {
        let (outcome, told) = oneshot::channel();
        self.commands.send(command(outcome)).await.map_err(|_| not_initialized())?;
        told.await.map_err(|_| not_initialized())?
    }

    /// Shows writes, and returns how far they came.
    pub(crate) async fn write(&self, writes: Vec<InboxCommand>) -> Result<Written, ServiceError> {
        if writes.is_empty() {
            return Ok(Written::Stored);
        }
        let with_id = |write| Ok((self.settings.op()?, write));
        let writes = writes.into_iter().map(with_id).collect::<Result<_, ServiceError>>()?;
        self.call(|outcome| Command::Write(writes, outcome)).await
    }

    /// Pushes until it is stored, refused, or the service is disposed; or was tried enough, unless pushes wait for the connection.
    pub(crate) async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        let Some(api) = &self.api else {
            let detail =
                "this service is live-only: there is no inbox server to push to (INTERNAL_NOTIFICATIONS_URL)";
            return Err(ServiceError::new(ServiceErrorKind::Disabled, detail));
        };
        let notification = self.settings.with_id(notification)?;
        let request = PushRequest::new(user_ids, notification);
        let push = || api.push(&request);
        let stored = async {
            match self.settings.offline_push {
                OfflinePush::Wait => self.persist(u32::MAX, push).await,
                _ => {
                    let tried = timeout(self.settings.call_timeout, self.persist(retry::TRIES, push));
                    tried.await.unwrap_or_else(|_| Err(unanswered().into()))
                }
            }
        };
        tokio::select! {
            biased;
            () = self.commands.closed() => Err(not_initialized()),
            stored = stored => stored.map_err(|refusal| refusal.error),
        }
    }

    async fn persist<T, C>(&self, tries: u32, call: impl Fn() -> C) -> Result<T, Refusal>
    where
        C: Future<Output = Result<T, Refusal>>,
    {
        let wait = |attempt| async move {
            let delay = self.settings.random(|rng| retry::delay(attempt, rng));
            tokio::select! {
                biased;
                () = sleep(delay) => {}
                () = self.outlets.back() => {}
            }
        };
        retry::persist(tries, call, wait).await
    }
}

pub(crate) fn not_initialized() -> ServiceError {
    ServiceError::new(ServiceErrorKind::NotInitialized, "the service is not initialized, or is disposed")
}

fn unanswered() -> ServiceError {
    let detail = "the server did not answer in time; whether it did what was asked is not known";
    ServiceError::new(ServiceErrorKind::Unavailable, detail)
}
