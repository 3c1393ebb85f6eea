use internal_notifications_models::{Head, OpId, Position, Timestamp};

use super::{Inbox, InboxEvent, PendingWrite, QueueFull, WriteRequest};
use crate::InboxCommand;

/// The user's own writes, shown before the server has them.
impl Inbox {
    /// Shows a write of the user, and queues it for the server.
    ///
    /// # Errors
    /// Returns [`QueueFull`] if 500 writes wait for the server's answer, or 5,000 for their change
    /// to arrive. The write is not shown then.
    pub fn write(&mut self, op: OpId, command: InboxCommand, at: Timestamp) -> Result<(), QueueFull> {
        let position = self.head.position;
        planted!(OpenedAllUntagged =>
            return self.overlay.push(op, super::fault::without_tag(command), at, position));
        self.overlay.push(op, command, at, position)
    }

    /// Returns the request to send to the server: the first write that has no answer, together with
    /// the marks of the same kind right after it.
    ///
    /// Send one request at a time. After a failure, call this again: the request is the same, since
    /// the server may have done it.
    pub fn next_write(&mut self) -> Option<WriteRequest> {
        self.overlay.next_request()
    }

    /// Returns the write with this id, unless its change has arrived.
    pub fn pending_write(&self, op: &OpId) -> Option<&PendingWrite> {
        self.overlay.get(op)
    }

    /// Returns how many writes are shown whose changes have not arrived.
    pub fn pending_writes(&self) -> usize {
        self.overlay.len()
    }

    /// Returns how many writes the server has not answered yet.
    pub fn unanswered_writes(&self) -> usize {
        self.overlay.unanswered()
    }

    /// Handles the answer to a request that was sent when the inbox was at `asked_at`.
    pub fn on_written(&mut self, op: &OpId, asked_at: Position, head: Head) {
        self.overlay.on_answer(op, head.position);
        self.confirm_writes();
        self.on_head(asked_at, head);
    }

    /// Rolls back the writes of a request that the server refused, or a write that was never sent.
    pub fn on_refused(&mut self, op: &OpId) -> Vec<InboxEvent> {
        self.overlay.take(op).into_iter().map(InboxEvent::RolledBack).collect()
    }
}
