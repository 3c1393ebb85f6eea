use internal_notifications_models::Position;

/// What the inbox needs from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboxQuery {
    /// The newest notifications and the head. Answer with
    /// [`Inbox::on_snapshot`](crate::Inbox::on_snapshot).
    Snapshot,
    /// The changes after a position. Answer with [`Inbox::on_changes`](crate::Inbox::on_changes).
    Changes {
        /// The position of the inbox.
        after: Position,
    },
    /// Older notifications. Answer with [`Inbox::on_older`](crate::Inbox::on_older).
    Older {
        /// Only those added before this seq.
        before: u64,
        /// At most this many.
        limit: usize,
    },
}
