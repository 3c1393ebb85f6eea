use internal_notifications_models::OpId;
use internal_notifications_service::{InboxCommand, ServiceError, Written};
use tokio::sync::oneshot;

/// Sends the result of a call to its caller. Closed if the caller no longer waits.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, ServiceError>>;

/// A call that a handle makes to the task of an initialized service.
#[derive(Debug)]
pub(crate) enum Command {
    /// Resume live events.
    Subscribe(Reply<()>),
    /// Stop live events.
    Unsubscribe(Reply<()>),
    /// Check the connection and the position now.
    Wake(Reply<()>),
    /// Show these writes and send them to the server. They belong to one call; each has its id.
    Write(Vec<(OpId, InboxCommand)>, Reply<Written>),
    /// Extend the list by this many older notifications.
    LoadOlder(usize, Reply<()>),
}
