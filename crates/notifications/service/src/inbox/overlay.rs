use std::collections::VecDeque;
use std::sync::Arc;

use internal_notifications_models::{InboxNotification, MAX_IDS, OpId, Position, Timestamp};
use serde::{Deserialize, Serialize};

use super::window::set_opened;
use crate::InboxCommand;

/// A write of the user whose change has not arrived yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingWrite {
    /// The id. A write that is sent again with the same id is done once.
    pub op: OpId,
    /// The write.
    pub command: InboxCommand,
    /// When the user did it. It is shown as the time of opening until the server's time arrives.
    pub at: Timestamp,
    /// The position of the inbox when the user did it.
    pub position: Position,
    /// The id of the request in which it was first sent, and is sent again.
    sent_as: Option<OpId>,
    /// The head in the server's answer.
    answered: Option<Position>,
    was_answered: bool,
}

impl PendingWrite {
    /// Returns whether the server has the write, and only its change has not arrived.
    pub fn is_answered(&self) -> bool {
        self.answered.is_some()
    }

    /// Returns whether the server has ever answered, also if the write has to be sent again.
    pub fn was_answered(&self) -> bool {
        self.was_answered
    }

    /// Returns whether it belongs to the request with this id. A write that was never sent is a
    /// request of its own.
    fn is_of(&self, request: &OpId) -> bool {
        self.sent_as.as_ref().unwrap_or(&self.op) == request
    }
}

/// A request to the server: one write, or marks of the same kind that follow one another.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WriteRequest {
    /// The id, that of the first write. A request that is sent again with the same id is done once.
    pub op: OpId,
    /// What to do, with the ids of all of these marks, at most 500.
    pub command: InboxCommand,
    /// The writes that it contains.
    pub ops: Vec<OpId>,
    /// Whether the server has answered it before, from a history that the replica does not have.
    pub was_answered: bool,
}

impl WriteRequest {
    fn of(write: &PendingWrite, op: OpId) -> Self {
        let (command, was_answered) = (write.command.clone(), write.was_answered);
        Self { op, command, ops: vec![write.op.clone()], was_answered }
    }

    /// Adds a mark of the same kind. Returns false if it is none, or if there is no room.
    fn add(&mut self, write: &PendingWrite) -> bool {
        let (ids, more) = match (&mut self.command, &write.command) {
            (InboxCommand::Opened(ids), InboxCommand::Opened(more))
            | (InboxCommand::Unopened(ids), InboxCommand::Unopened(more)) => (ids, more),
            _ => return false,
        };
        let new: Vec<_> = more.iter().filter(|id| !ids.contains(id)).cloned().collect();
        if ids.len() + new.len() > MAX_IDS {
            return false;
        }
        ids.extend(new);
        self.ops.push(write.op.clone());
        true
    }
}

/// The writes that are shown over the replica, in order.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Overlay(VecDeque<PendingWrite>);

/// Too many writes wait for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many writes wait for the server")]
pub struct QueueFull;

/// The most writes that wait for the server's answer.
const MAX_UNANSWERED: usize = 500;

/// The most writes in all. Answered writes stay until their changes arrive.
const MAX_WRITES: usize = 10 * MAX_UNANSWERED;

impl Overlay {
    pub(super) fn restored(writes: Vec<PendingWrite>) -> Self {
        Self(writes.into())
    }

    /// Adds a write, if there is room.
    pub(super) fn push(
        &mut self,
        op: OpId,
        command: InboxCommand,
        at: Timestamp,
        position: Position,
    ) -> Result<(), QueueFull> {
        if self.0.len() >= MAX_WRITES || self.unanswered() >= MAX_UNANSWERED {
            return Err(QueueFull);
        }
        let (sent_as, answered, was_answered) = (None, None, false);
        self.0.push_back(PendingWrite { op, command, at, position, sent_as, answered, was_answered });
        Ok(())
    }

    /// Returns the next request to send. A request that was sent before is the same again.
    pub(super) fn next_request(&mut self) -> Option<WriteRequest> {
        let mut waiting = self.0.iter_mut().filter(|write| write.answered.is_none());
        let first = waiting.next()?;
        let sent_as = first.sent_as.clone();
        let op = sent_as.clone().unwrap_or_else(|| first.op.clone());
        first.sent_as = Some(op.clone());
        let mut request = WriteRequest::of(first, op.clone());
        for write in waiting {
            if write.sent_as != sent_as || !request.add(write) {
                break;
            }
            write.sent_as = Some(op.clone());
        }
        Some(request)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &PendingWrite> {
        self.0.iter()
    }

    pub(super) fn get(&self, op: &OpId) -> Option<&PendingWrite> {
        self.0.iter().find(|write| write.op == *op)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns how many writes the server has not answered.
    pub(super) fn unanswered(&self) -> usize {
        self.0.iter().filter(|write| write.answered.is_none()).count()
    }

    pub(super) fn on_answer(&mut self, op: &OpId, head: Position) {
        self.0.iter_mut().filter(|write| write.is_of(op)).for_each(|write| {
            write.answered = Some(head);
            write.was_answered = true;
        });
    }

    /// Removes the writes of a request, or a write that has not been sent.
    pub(super) fn take(&mut self, op: &OpId) -> Vec<PendingWrite> {
        let (taken, left): (Vec<_>, _) =
            std::mem::take(&mut self.0).into_iter().partition(|write| write.is_of(op));
        self.0 = left.into();
        taken
    }

    /// Removes the answered writes whose position the replica has been at.
    pub(super) fn confirm(&mut self, has_been_at: impl Fn(Position) -> bool) {
        self.0.retain(|write| !write.answered.is_some_and(&has_been_at));
    }

    /// Queues answered writes again: the server answered from a history that the replica does not
    /// have.
    pub(super) fn resend(&mut self) {
        self.0.iter_mut().for_each(|write| write.answered = None);
    }

    /// Returns rows with the writes applied to them.
    pub(super) fn apply_to<'a>(
        &self,
        rows: impl Iterator<Item = &'a Arc<InboxNotification>>,
    ) -> Vec<Arc<InboxNotification>> {
        let mut rows: Vec<_> = rows.cloned().collect();
        for PendingWrite { command, at, .. } in &self.0 {
            match command {
                InboxCommand::Opened(ids) => {
                    rows.iter_mut()
                        .filter(|row| ids.contains(&row.id))
                        .for_each(|row| set_opened(row, Some(*at)));
                }
                InboxCommand::Unopened(ids) => {
                    rows.iter_mut().filter(|row| ids.contains(&row.id)).for_each(|row| set_opened(row, None));
                }
                InboxCommand::OpenedAll { through, .. } => {
                    let through = through.unwrap_or(u64::MAX);
                    rows.iter_mut()
                        .filter(|row| row.added <= through)
                        .for_each(|row| set_opened(row, Some(*at)));
                }
                InboxCommand::Remove(id) => rows.retain(|row| row.id != *id),
            }
        }
        rows
    }
}
