use internal_notifications_models::OpId;
use internal_notifications_service::{Inbox, ServiceError, ServiceErrorKind, Written};
use tokio::time::Instant;

use crate::command::Outcome;

/// Calls that wait for what becomes of them. Their callers are told after readers can see it.
#[derive(Default)]
pub(super) struct Waiting {
    writes: Vec<Caller<Vec<OpId>, Written>>,
    /// Each of so many.
    older: Vec<Caller<usize, ()>>,
    told: Vec<Told>,
}

struct Caller<W, T> {
    of: W,
    outcome: Outcome<T>,
    /// How long it waits for a server that does not answer.
    deadline: Instant,
}

enum Told {
    Write(Outcome<Written>, Result<Written, ServiceError>),
    Older(Outcome<()>, Result<(), ServiceError>),
}

impl Waiting {
    pub(super) fn add_write(&mut self, ops: Vec<OpId>, outcome: Outcome<Written>, deadline: Instant) {
        self.writes.push(Caller { of: ops, outcome, deadline });
    }

    pub(super) fn add_older(&mut self, count: usize, outcome: Outcome<()>, deadline: Instant) {
        self.older.push(Caller { of: count, outcome, deadline });
    }

    pub(super) fn tell_write(&mut self, outcome: Outcome<Written>, result: Result<Written, ServiceError>) {
        self.told.push(Told::Write(outcome, result));
    }

    pub(super) fn tell_older(&mut self, outcome: Outcome<()>, result: Result<(), ServiceError>) {
        self.told.push(Told::Older(outcome, result));
    }

    /// When the first of them will not wait any longer.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let writes = self.writes.iter().map(|caller| caller.deadline);
        writes.chain(self.older.iter().map(|caller| caller.deadline)).min()
    }

    /// The connection is lost: nobody waits for longer than this.
    pub(super) fn until(&mut self, deadline: Instant) {
        let writes = self.writes.iter_mut().map(|caller| &mut caller.deadline);
        let all = writes.chain(self.older.iter_mut().map(|caller| &mut caller.deadline));
        all.for_each(|of_caller| *of_caller = deadline.min(*of_caller));
    }

    /// Those whose time is over. Gives how many older notifications nobody waits for any more.
    #[must_use]
    pub(super) fn expire(&mut self, now: Instant) -> usize {
        for caller in take(&mut self.writes, |caller| caller.deadline <= now) {
            self.tell_write(caller.outcome, Ok(Written::Queued));
        }
        let late = take(&mut self.older, |caller| caller.deadline <= now);
        self.fail_older(late, &unavailable())
    }

    /// The server cannot be reached: writes wait for it, and nobody for them.
    pub(super) fn queued(&mut self) {
        for caller in std::mem::take(&mut self.writes) {
            self.tell_write(caller.outcome, Ok(Written::Queued));
        }
    }

    /// Older notifications will not come now. Gives how many nobody waits for any more.
    #[must_use]
    pub(super) fn older_failed(&mut self, error: &ServiceError) -> usize {
        let all = std::mem::take(&mut self.older);
        self.fail_older(all, error)
    }

    fn fail_older(&mut self, callers: Vec<Caller<usize, ()>>, error: &ServiceError) -> usize {
        let count = callers.iter().fold(0, |count: usize, caller| count.saturating_add(caller.of));
        callers.into_iter().for_each(|caller| self.tell_older(caller.outcome, Err(error.clone())));
        count
    }

    /// A write was refused: if its caller still waits, it is told. Gives all writes of that call then.
    pub(super) fn refused(&mut self, op: &OpId, error: &ServiceError) -> Option<Vec<OpId>> {
        let caller = take(&mut self.writes, |caller| caller.of.contains(op)).pop()?;
        let waits = !caller.outcome.is_closed();
        self.tell_write(caller.outcome, Err(error.clone()));
        waits.then_some(caller.of)
    }

    /// Those for whom everything is there.
    pub(super) fn reached(&mut self, inbox: &Inbox, is_paused: bool) {
        // While nothing comes in, the server's word is all that there is to wait for.
        let is_done =
            |op: &OpId| inbox.pending_write(op).is_none_or(|write| is_paused && write.is_answered());
        for caller in take(&mut self.writes, |caller| caller.of.iter().all(is_done)) {
            self.tell_write(caller.outcome, Ok(Written::Stored));
        }
        if inbox.wants().is_none() {
            for caller in std::mem::take(&mut self.older) {
                self.tell_older(caller.outcome, Ok(()));
            }
        }
    }

    /// Tells callers what was decided; readers see it by now.
    pub(super) fn tell(&mut self) {
        for told in std::mem::take(&mut self.told) {
            match told {
                Told::Write(outcome, result) => drop(outcome.send(result)),
                Told::Older(outcome, result) => drop(outcome.send(result)),
            }
        }
    }
}

pub(super) fn unavailable() -> ServiceError {
    ServiceError::new(
        ServiceErrorKind::Unavailable,
        "there is no connection to load older notifications over",
    )
}

fn take<T>(from: &mut Vec<T>, which: impl Fn(&T) -> bool) -> Vec<T> {
    let (taken, left) = std::mem::take(from).into_iter().partition(which);
    *from = left;
    taken
}
