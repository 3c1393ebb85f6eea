use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::{InternalNotification, Position, PushRequest, Receipt, UserId};
use internal_notifications_service::{InboxCommand, OfflinePush, ServiceError, ServiceErrorKind, Written};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::command::{Command, Reply};
use super::publisher::Publisher;
use super::settings::Settings;
use crate::api::{CallError, InboxApi, retry};

/// The context of one call to an initialized service.
pub(crate) struct Session {
    pub(crate) settings: Arc<Settings>,
    /// None in a live-only service.
    pub(crate) api: Option<Arc<InboxApi>>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) publisher: Arc<Publisher>,
    /// The position of the snapshot when the call was made.
    pub(crate) position: Position,
}

impl Session {
    /// Sends a command to the task and returns its result.
    pub(crate) async fn call<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, ServiceError> {
        let (reply, result) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| not_initialized())?;
        result.await.map_err(|_| not_initialized())?
    }

    /// Shows the writes of a call and sends them to the server.
    pub(crate) async fn write(&self, writes: Vec<InboxCommand>) -> Result<Written, ServiceError> {
        if writes.is_empty() {
            return Ok(Written::Stored);
        }
        let with_id = |write| Ok((self.settings.op()?, write));
        let writes = writes.into_iter().map(with_id).collect::<Result<_, ServiceError>>()?;
        self.call(|reply| Command::Write(writes, reply)).await
    }

    /// Pushes until the notification is stored, the server rejects it, or the service is disposed.
    ///
    /// Unless pushes wait for the connection, it also fails after a few tries.
    pub(crate) async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        let Some(api) = &self.api else {
            let detail =
                "a live-only service cannot push: it has no inbox server (INTERNAL_NOTIFICATIONS_URL)";
            return Err(ServiceError::new(ServiceErrorKind::Disabled, detail));
        };
        let notification = self.settings.with_id(notification)?;
        let request = PushRequest::new(user_ids, notification);
        let push = || api.push(&request);
        let options = &self.settings.options;
        let stored = async {
            match options.offline_push {
                OfflinePush::Wait => self.retry(u32::MAX, Duration::MAX, push).await,
                _ => {
                    let patience = retry::PATIENCE.min(options.call_timeout / 2);
                    let tried = timeout(options.call_timeout, self.retry(retry::TRIES, patience, push));
                    tried.await.unwrap_or_else(|_| Err(unanswered().into()))
                }
            }
        };
        tokio::select! {
            biased;
            () = self.commands.closed() => Err(not_initialized()),
            stored = stored => Ok(stored?),
        }
    }

    async fn retry<T, C>(&self, tries: u32, patience: Duration, call: impl Fn() -> C) -> Result<T, CallError>
    where
        C: Future<Output = Result<T, CallError>>,
    {
        let wait = |attempt, asked: Option<Duration>| async move {
            let pause = self.settings.random(|rng| retry::pause(attempt, asked, rng));
            tokio::select! {
                biased;
                () = sleep(pause) => {}
                () = self.publisher.reconnected(), if asked.is_none() => {}
            }
        };
        retry::retry(tries, patience, call, wait).await
    }
}

pub(crate) fn not_initialized() -> ServiceError {
    let detail = "the service is not initialized, or has been disposed";
    ServiceError::new(ServiceErrorKind::NotInitialized, detail)
}

fn unanswered() -> ServiceError {
    let detail = "the server did not answer in time; whether the notification was pushed is unknown";
    ServiceError::new(ServiceErrorKind::Unavailable, detail)
}
