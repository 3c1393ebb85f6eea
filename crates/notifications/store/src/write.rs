use internal_notifications_models::{OpId, Timestamp};
use internal_notifications_service::InboxCommand;

/// A write in a user's own inbox.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Write {
    /// What to do.
    pub command: InboxCommand,
    /// The id that the client chose for the operation.
    pub op: Option<OpId>,
    /// The current time.
    pub at: Timestamp,
}

impl Write {
    /// Creates a write without an operation id.
    pub fn new(command: InboxCommand, at: Timestamp) -> Self {
        Self { command, op: None, at }
    }

    /// Sets [`op`](Self::op).
    pub fn with_op(self, op: Option<OpId>) -> Self {
        Self { op, ..self }
    }
}
