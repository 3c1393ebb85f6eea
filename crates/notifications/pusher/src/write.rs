use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::{Position, WriteAnswer};
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::actor::Command;
use crate::api::InboxApi;
use crate::refusal::Refusal;
use crate::retry;
use crate::settings::Settings;

/// How often a call is sent before its error is told.
const TRIES: u32 = 4;
/// How long a write that the server acknowledged waits until the state shows it.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

/// An initialized service, as a call sees it.
pub(crate) struct Session {
    pub(crate) settings: Arc<Settings>,
    pub(crate) api: Arc<InboxApi>,
    pub(crate) commands: mpsc::Sender<Command>,
    /// The position of the state when the call was made.
    pub(crate) position: Position,
}

impl Session {
    /// Sends a write until its outcome is known, and waits until the state shows it.
    pub(crate) async fn write<F>(&self, call: impl Fn() -> F) -> Result<(), ServiceError>
    where
        F: Future<Output = Result<WriteAnswer, Refusal>>,
    {
        match self.send(call).await {
            Ok(answer) => {
                let (reached, shown) = oneshot::channel();
                let head = answer.head;
                let command = Command::Head { asked_at: self.position, head, reached: Some(reached) };
                if self.commands.send(command).await.is_ok() {
                    let _ = timeout(SHOWN_WITHIN, shown).await;
                }
                Ok(())
            }
            Err(Refusal { error, head }) => {
                if let Some(head) = head {
                    let command = Command::Head { asked_at: self.position, head, reached: None };
                    let _ = self.commands.send(command).await;
                }
                if error.kind() == ServiceErrorKind::Conflict {
                    let _ = self.commands.send(Command::CatchUp).await;
                }
                Err(error)
            }
        }
    }

    /// Sends a call that may be repeated until its outcome is known, its time is over, or the service is disposed.
    pub(crate) async fn send<T, F>(&self, call: impl Fn() -> F) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        tokio::select! {
            biased;
            () = self.commands.closed() => Err(not_initialized().into()),
            outcome = self.persist(call) => outcome,
        }
    }

    async fn persist<T, F>(&self, call: impl Fn() -> F) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let deadline = Instant::now() + self.settings.call_timeout;
        let mut attempt = 1;
        loop {
            let outcome = timeout_at(deadline, call()).await.unwrap_or_else(|_| {
                let detail = "the server did not answer in time; whether it did what was asked is not known";
                Err(ServiceError::new(ServiceErrorKind::Unavailable, detail).into())
            });
            let again = matches!(&outcome, Err(refusal) if refusal.error.is_retryable());
            let wait = self.settings.random(|rng| retry::delay(attempt, rng));
            if !again || attempt == TRIES || Instant::now() + wait >= deadline {
                return outcome;
            }
            attempt += 1;
            sleep(wait).await;
        }
    }
}

pub(crate) fn not_initialized() -> ServiceError {
    ServiceError::new(ServiceErrorKind::NotInitialized, "the service is not initialized, or is disposed")
}
