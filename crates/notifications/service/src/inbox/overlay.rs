use std::collections::VecDeque;
use std::sync::Arc;

use internal_notifications_models::{InboxNotification, OpId, Position, Timestamp};

use super::window::set_opened;
use crate::InboxCommand;

/// A write of the user's own that the replica does not have yet.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingWrite {
    /// Its id: a repeat does nothing.
    pub op: OpId,
    /// What it does.
    pub command: InboxCommand,
    /// When the user did it; shown as the time of opening until the server's is there.
    pub at: Timestamp,
    /// The head that the server answered.
    answered: Option<Position>,
    was_answered: bool,
}

impl PendingWrite {
    /// Whether the server has it, so that only the replica does not.
    pub fn is_answered(&self) -> bool {
        self.answered.is_some()
    }

    /// Whether the server has answered it at least once, also if it is to be sent again since then.
    pub fn was_answered(&self) -> bool {
        self.was_answered
    }
}

/// The writes that are shown and not yet in the replica, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlay(VecDeque<PendingWrite>);

/// The most writes that wait for the server.
const WAITING: usize = 500;

/// The most writes, with those that the server has and the replica does not: while nothing comes in, they stay.
const MOST: usize = 10 * WAITING;

impl Overlay {
    /// Adds a write; false when there is no room.
    pub(super) fn push(&mut self, op: OpId, command: InboxCommand, at: Timestamp) -> bool {
        let has_room = self.0.len() < MOST && self.waiting() < WAITING;
        if has_room {
            self.0.push_back(PendingWrite { op, command, at, answered: None, was_answered: false });
        }
        has_room
    }

    /// The first that the server has not answered.
    pub(super) fn unanswered(&self) -> Option<&PendingWrite> {
        self.0.iter().find(|write| write.answered.is_none())
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &PendingWrite> {
        self.0.iter()
    }

    pub(super) fn get(&self, op: &OpId) -> Option<&PendingWrite> {
        self.0.iter().find(|write| write.op == *op)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many the server has not answered.
    pub(super) fn waiting(&self) -> usize {
        self.0.iter().filter(|write| write.answered.is_none()).count()
    }

    pub(super) fn answered(&mut self, op: &OpId, head: Position) {
        self.0.iter_mut().filter(|write| write.op == *op).for_each(|write| {
            write.answered = Some(head);
            write.was_answered = true;
        });
    }

    pub(super) fn take(&mut self, op: &OpId) -> Option<PendingWrite> {
        let index = self.0.iter().position(|write| write.op == *op)?;
        self.0.remove(index)
    }

    /// Drops what the replica has: it passed the very position that the server answered.
    pub(super) fn passed(&mut self, passed: impl Fn(Position) -> bool) {
        self.0.retain(|write| !write.answered.is_some_and(&passed));
    }

    /// What the server answered of a history that the replica does not have is to be sent again.
    pub(super) fn send_again(&mut self) {
        self.0.iter_mut().for_each(|write| write.answered = None);
    }

    /// Rows as they are shown.
    pub(super) fn over<'a>(
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
