use std::sync::Arc;

use internal_notifications_models::{OpId, Position, Timestamp, WriteAnswer};
use internal_notifications_service::{
    Announcement, InboxCommand, InboxEvent, PendingWrite, RefusedWrite, ServiceError, ServiceErrorKind,
    Written,
};
use tokio::time::Instant;

use super::Actor;
use crate::command::Outcome;
use crate::refusal::Refusal;

/// What became of a write that was sent when the replica was at `asked_at`.
pub(super) struct Sent {
    write: PendingWrite,
    asked_at: Position,
    outcome: Result<WriteAnswer, Refusal>,
}

impl Actor {
    /// Shows the writes of a call. They are sent in their turn.
    pub(super) fn on_write(&mut self, writes: Vec<(OpId, InboxCommand)>, outcome: Outcome<Written>) {
        let at = Timestamp::now();
        let ops: Vec<_> = writes.iter().map(|(op, _)| op.clone()).collect();
        for (op, command) in writes {
            if let Err(full) = self.inbox.write(op, command, at) {
                self.take_back(&ops);
                let error = ServiceError::new(ServiceErrorKind::QueueFull, full.to_string());
                return self.waiting.tell_write(outcome, Err(error));
            }
        }
        self.has_changed = true;
        match self.pace.is_down() {
            true => self.waiting.tell_write(outcome, Ok(Written::Queued)),
            false => self.waiting.add_write(ops, outcome, self.deadline()),
        }
    }

    /// When the next write is sent. None while one is under way, or none waits.
    pub(super) fn send_at(&self) -> Option<Instant> {
        let wanted = self.sending.is_empty() && self.inbox.wants_write().is_some();
        wanted.then(|| self.pace.next())
    }

    /// Sends the next write, if it is time.
    pub(super) fn send(&mut self) {
        self.pace.look_at(&self.inbox);
        if self.send_at().is_none_or(|at| at > Instant::now()) {
            return;
        }
        let Some(write) = self.inbox.wants_write().cloned() else { return };
        let (api, asked_at) = (Arc::clone(&self.api), self.inbox.head().position);
        self.sending.spawn(async move {
            let outcome = api.write(write.clone()).await;
            Sent { write, asked_at, outcome }
        });
    }

    pub(super) fn on_sent(&mut self, sent: Option<Sent>) {
        let Some(Sent { write, asked_at, outcome }) = sent else { return self.on_unsent() };
        match outcome {
            Ok(answer) => {
                self.pace.answered(&write);
                self.inbox.on_written(&write.op, asked_at, answer.head);
                if !write.was_answered() {
                    self.schedule.hurry();
                }
            }
            Err(refusal) if refusal.error.is_retryable() => {
                tracing::debug!(error = %refusal.error, "a write was sent in vain");
                self.on_unsent();
            }
            Err(refusal) => self.on_write_refused(&write.op, asked_at, refusal),
        }
        self.has_changed = true;
    }

    /// The server cannot be reached; the write is sent again, and nobody waits for it.
    fn on_unsent(&mut self) {
        self.pace.failed();
        self.waiting.queued();
    }

    /// The write is shown no more. If its caller still waits, it is told, and what it wanted done after it is not done; else it is announced.
    fn on_write_refused(&mut self, op: &OpId, asked_at: Position, Refusal { error, head }: Refusal) {
        self.pace.is_up();
        match self.waiting.refused(op, &error) {
            Some(mut ops) => {
                // What the server did before stays done.
                let is_undone = |write: &PendingWrite| write.op == *op || !write.was_answered();
                ops.retain(|op| self.inbox.pending_write(op).is_some_and(is_undone));
                self.take_back(&ops);
            }
            None => {
                for event in self.inbox.on_refused(op) {
                    if let InboxEvent::RolledBack(write) = &event {
                        let refused = RefusedWrite::new(write.command.clone(), error.clone());
                        let announcement = Announcement::WriteRefused(Arc::new(refused));
                        self.events.push(InboxEvent::Announce(announcement));
                    }
                    self.events.push(event);
                }
            }
        }
        if let Some(head) = head {
            self.inbox.on_head(asked_at, head);
            self.schedule.hurry();
        }
        // Another history, or nobody knows what was done.
        if matches!(error.kind(), ServiceErrorKind::Conflict | ServiceErrorKind::Protocol) {
            self.inbox.catch_up();
        }
    }

    fn take_back(&mut self, ops: &[OpId]) {
        ops.iter().for_each(|op| drop(self.inbox.on_refused(op)));
    }
}
