use internal_notifications_models::OpId;
use internal_notifications_service::{InboxCommand, ServiceError, Written};
use tokio::sync::oneshot;

/// Where the outcome of a call goes. Closed when its caller no longer waits.
pub(crate) type Outcome<T> = oneshot::Sender<Result<T, ServiceError>>;

/// What handles ask of the task of an initialized service.
#[derive(Debug)]
pub(crate) enum Command {
    /// Resume live events.
    Subscribe(Outcome<()>),
    /// Stop them.
    Unsubscribe(Outcome<()>),
    /// Show these, and have the server do them; all of one call, with their ids.
    Write(Vec<(OpId, InboxCommand)>, Outcome<Written>),
    /// Hold so many more, older ones.
    LoadOlder(usize, Outcome<()>),
}
