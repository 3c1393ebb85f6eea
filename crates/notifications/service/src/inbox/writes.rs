use internal_notifications_models::{Head, OpId, Position, Timestamp};

use super::{Inbox, InboxEvent, PendingWrite, QueueFull};
use crate::InboxCommand;

/// The user's own writes, shown before the server has them.
impl Inbox {
    /// Shows a write of the user's own, until the server has it and the replica too.
    ///
    /// # Errors
    /// [`QueueFull`], when 500 wait for the server's answer, or 5,000 are not in the replica; it is not shown then.
    pub fn write(&mut self, op: OpId, command: InboxCommand, at: Timestamp) -> Result<(), QueueFull> {
        let sent = or_fault!(command, OpenedAllUntagged => super::fault::without_tag(command));
        self.overlay.push(op, sent, at).then_some(()).ok_or(QueueFull)
    }

    /// The write to send to the server now, with its id. One at a time; if the answer is lost, send what this says then.
    pub fn wants_write(&self) -> Option<&PendingWrite> {
        self.overlay.unanswered()
    }

    /// A write by its id, unless the replica has it.
    pub fn pending_write(&self, op: &OpId) -> Option<&PendingWrite> {
        self.overlay.get(op)
    }

    /// How many writes the replica does not have yet.
    pub fn pending_writes(&self) -> usize {
        self.overlay.len()
    }

    /// How many writes the server has not answered yet.
    pub fn waiting_writes(&self) -> usize {
        self.overlay.waiting()
    }

    /// The server did a write, sent when the inbox was at `asked_at`.
    pub fn on_written(&mut self, op: &OpId, asked_at: Position, head: Head) {
        self.overlay.answered(op, head.position);
        self.leave_overlay();
        self.on_head(asked_at, head);
    }

    /// The server refused a write.
    pub fn on_refused(&mut self, op: &OpId) -> Vec<InboxEvent> {
        self.overlay.take(op).map(InboxEvent::RolledBack).into_iter().collect()
    }
}
