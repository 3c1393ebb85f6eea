use internal_notifications_models::OpId;
use internal_notifications_service::{Inbox, ServiceError, ServiceErrorKind, Written};
use tokio::time::Instant;

use crate::service::command::Reply;

/// The calls that wait for a result.
///
/// Results are collected first and sent by [`reply`](Self::reply), after the snapshot is published:
/// a caller that gets its result sees it in the snapshot.
#[derive(Default)]
pub(super) struct PendingCalls {
    writes: Vec<Call<Vec<OpId>, Written>>,
    /// Calls that wait for this many older notifications.
    older: Vec<Call<usize, ()>>,
    finished: Vec<Finished>,
}

struct Call<W, T> {
    waits_for: W,
    reply: Reply<T>,
    /// How long the call waits for a server that does not answer.
    deadline: Instant,
}

enum Finished {
    Write(Reply<Written>, Result<Written, ServiceError>),
    Older(Reply<()>, Result<(), ServiceError>),
}

impl PendingCalls {
    pub(super) fn add_write(&mut self, ops: Vec<OpId>, reply: Reply<Written>, deadline: Instant) {
        self.writes.push(Call { waits_for: ops, reply, deadline });
    }

    pub(super) fn add_older(&mut self, count: usize, reply: Reply<()>, deadline: Instant) {
        self.older.push(Call { waits_for: count, reply, deadline });
    }

    pub(super) fn finish_write(&mut self, reply: Reply<Written>, result: Result<Written, ServiceError>) {
        self.finished.push(Finished::Write(reply, result));
    }

    pub(super) fn finish_older(&mut self, reply: Reply<()>, result: Result<(), ServiceError>) {
        self.finished.push(Finished::Older(reply, result));
    }

    /// Returns the earliest deadline of all calls.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let writes = self.writes.iter().map(|call| call.deadline);
        writes.chain(self.older.iter().map(|call| call.deadline)).min()
    }

    /// Moves later deadlines forward to this one.
    pub(super) fn limit_deadlines(&mut self, limit: Instant) {
        let writes = self.writes.iter_mut().map(|call| &mut call.deadline);
        let all = writes.chain(self.older.iter_mut().map(|call| &mut call.deadline));
        all.for_each(|deadline| *deadline = limit.min(*deadline));
    }

    /// Finishes the calls whose deadline has passed: writes as queued, the others with an error.
    /// Returns how many older notifications are no longer waited for.
    #[must_use]
    pub(super) fn expire(&mut self, now: Instant) -> usize {
        for call in take(&mut self.writes, |call| call.deadline <= now) {
            self.finish_write(call.reply, Ok(Written::Queued));
        }
        let expired = take(&mut self.older, |call| call.deadline <= now);
        self.fail_older_calls(expired, &older_unavailable())
    }

    /// Finishes all writes as queued, because the server cannot be reached.
    pub(super) fn queue_writes(&mut self) {
        for call in std::mem::take(&mut self.writes) {
            self.finish_write(call.reply, Ok(Written::Queued));
        }
    }

    /// Fails the calls that wait for older notifications. Returns how many notifications are no
    /// longer waited for.
    #[must_use]
    pub(super) fn fail_older(&mut self, error: &ServiceError) -> usize {
        let all = std::mem::take(&mut self.older);
        self.fail_older_calls(all, error)
    }

    fn fail_older_calls(&mut self, calls: Vec<Call<usize, ()>>, error: &ServiceError) -> usize {
        let count = calls.iter().fold(0, |count: usize, call| count.saturating_add(call.waits_for));
        calls.into_iter().for_each(|call| self.finish_older(call.reply, Err(error.clone())));
        count
    }

    /// Fails the calls of writes that the server rejected. Returns all writes of those calls whose
    /// callers still wait.
    pub(super) fn reject_writes(&mut self, rejected: &[OpId], error: &ServiceError) -> Vec<OpId> {
        let mut ops = Vec::new();
        for call in take(&mut self.writes, |call| call.waits_for.iter().any(|op| rejected.contains(op))) {
            if !call.reply.is_closed() {
                ops.extend(call.waits_for);
            }
            self.finish_write(call.reply, Err(error.clone()));
        }
        ops
    }

    /// Finishes the calls that have all they wait for.
    pub(super) fn finish_done(&mut self, inbox: &Inbox, is_paused: bool) {
        // A paused replica gets no changes, so the server's answer is enough.
        let is_done =
            |op: &OpId| inbox.pending_write(op).is_none_or(|write| is_paused && write.is_answered());
        for call in take(&mut self.writes, |call| call.waits_for.iter().all(is_done)) {
            self.finish_write(call.reply, Ok(Written::Stored));
        }
        if inbox.next_query().is_none() {
            for call in std::mem::take(&mut self.older) {
                self.finish_older(call.reply, Ok(()));
            }
        }
    }

    /// Sends the results of all finished calls.
    pub(super) fn reply(&mut self) {
        for finished in std::mem::take(&mut self.finished) {
            match finished {
                Finished::Write(reply, result) => drop(reply.send(result)),
                Finished::Older(reply, result) => drop(reply.send(result)),
            }
        }
    }
}

pub(super) fn older_unavailable() -> ServiceError {
    let detail = "older notifications cannot be loaded without a connection";
    ServiceError::new(ServiceErrorKind::Unavailable, detail)
}

fn take<T>(from: &mut Vec<T>, which: impl Fn(&T) -> bool) -> Vec<T> {
    let (taken, left) = std::mem::take(from).into_iter().partition(which);
    *from = left;
    taken
}
