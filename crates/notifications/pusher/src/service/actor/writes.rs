use std::sync::Arc;

use internal_notifications_models::{OpId, Position, Timestamp, WriteAnswer};
use internal_notifications_service::{
    InboxCommand, InboxEvent, PendingWrite, RefusedWrite, ServiceError, ServiceErrorKind, WriteRequest,
    Written,
};
use tokio::time::Instant;

use super::Actor;
use crate::api::CallError;
use crate::service::command::Reply;
use internal_notifications_service::with_causes;

/// The result of sending a write.
pub(super) struct SentWrite {
    write: WriteRequest,
    /// The position of the replica when the write was sent.
    position: Position,
    answer: Result<WriteAnswer, CallError>,
}

impl Actor {
    /// Keeps and shows the writes of a call. They are sent in their turn.
    pub(super) async fn on_write(&mut self, writes: Vec<(OpId, InboxCommand)>, reply: Reply<Written>) {
        let at = Timestamp::now();
        let ops: Vec<_> = writes.iter().map(|(op, _)| op.clone()).collect();
        for (op, command) in writes {
            if let Err(full) = self.inbox.write(op, command, at) {
                self.roll_back(&ops);
                let error = ServiceError::new(ServiceErrorKind::QueueFull, full.to_string());
                return self.pending_calls.finish_write(reply, Err(error));
            }
        }
        if let Err(error) = self.keeper.keep(&self.inbox).await {
            self.roll_back(&ops);
            // Perhaps they are kept nevertheless: they must not be sent after a restart.
            self.has_changed = true;
            return self.pending_calls.finish_write(reply, Err(error));
        }
        self.has_changed = true;
        match self.write_backoff.is_down() {
            true => self.pending_calls.finish_write(reply, Ok(Written::Queued)),
            false => self.pending_calls.add_write(ops, reply, self.deadline()),
        }
    }

    /// Returns when to send the next write; none while one is in progress or if there is none.
    pub(super) fn send_at(&self) -> Option<Instant> {
        let has_next = self.sends.is_empty() && self.inbox.unanswered_writes() > 0;
        has_next.then(|| self.write_backoff.next().max(self.held_until))
    }

    pub(super) async fn send_if_due(&mut self) {
        self.write_backoff.update(&self.inbox);
        if self.send_at().is_none_or(|at| at > Instant::now()) {
            return;
        }
        let Some(write) = self.inbox.next_write() else { return };
        // The request must be the same when it is sent again, also by the next process.
        if self.keeper.keep(&self.inbox).await.is_err() {
            return self.on_send_failed();
        }
        let (api, position) = (Arc::clone(&self.api), self.inbox.head().position);
        self.sends.spawn(async move {
            let answer = api.write(write.clone()).await;
            SentWrite { write, position, answer }
        });
    }

    pub(super) fn on_sent(&mut self, sent: Option<SentWrite>) {
        let Some(SentWrite { write, position, answer }) = sent else { return self.on_send_failed() };
        match answer {
            Ok(answer) => {
                self.write_backoff.answered(&write);
                self.rejection = None;
                self.inbox.on_written(&write.op, position, answer.head);
                if !write.was_answered {
                    self.schedule.reset();
                }
            }
            Err(error) if error.is_final() => self.on_write_rejected(&write, position, error),
            Err(error) => self.on_write_failed(error),
        }
        self.has_changed = true;
    }

    /// Keeps a write whose outcome is unknown, or that may be accepted later.
    fn on_write_failed(&mut self, error: CallError) {
        let hold = error.retry_after();
        self.hold(hold);
        let error = ServiceError::from(error);
        if hold.is_some() {
            // Nothing is fetched either.
            self.failure = Some(error.clone());
        }
        tracing::debug!(error = with_causes(&error), "sending a write failed");
        match error.is_retryable() {
            true => self.write_backoff.failed(),
            false => self.write_backoff.failed_for_long(),
        }
        if error.kind() == ServiceErrorKind::Unauthorized {
            self.on_rejected(error);
            self.schedule.check_now();
        }
        self.pending_calls.queue_writes();
    }

    /// Backs off, and lets the callers know that their writes are queued.
    fn on_send_failed(&mut self) {
        self.write_backoff.failed();
        self.pending_calls.queue_writes();
    }

    /// Rolls the writes of a rejected request back.
    ///
    /// If a caller still waits, its call fails and its later writes are not sent. Otherwise the
    /// rejection is announced.
    fn on_write_rejected(&mut self, request: &WriteRequest, position: Position, error: CallError) {
        let head = error.head();
        let error = ServiceError::from(error);
        self.write_backoff.judged();
        let awaited = self.pending_calls.reject_writes(&request.ops, &error);
        for event in self.inbox.on_refused(&request.op) {
            let InboxEvent::RolledBack(write) = &event else { continue };
            if !awaited.contains(&write.op) {
                let refused = RefusedWrite::new(write.command.clone(), error.clone());
                self.inbox.remember_refusal(Arc::new(refused));
                self.events.push(event);
            }
        }
        // Writes that the server has already stored are kept.
        let is_undone = |write: &PendingWrite| !write.was_answered();
        let undone: Vec<_> =
            awaited.into_iter().filter(|op| self.inbox.pending_write(op).is_some_and(is_undone)).collect();
        self.roll_back(&undone);
        if let Some(head) = head {
            self.inbox.on_head(position, head);
            self.schedule.reset();
        }
        // The history may have been replaced.
        if error.kind() == ServiceErrorKind::Conflict {
            self.inbox.catch_up();
        }
    }

    fn roll_back(&mut self, ops: &[OpId]) {
        ops.iter().for_each(|op| drop(self.inbox.on_refused(op)));
    }
}
