use tokio::time::Instant;

use super::{Stopping, Worker};

impl Worker {
    /// Starts publishing what is left. What fails alone now is left to the next start.
    pub(super) fn begin_stopping(&mut self) {
        self.stopping = Some(Stopping::Draining);
        self.retries.make_due();
        self.engine.hurry();
        self.store_resumes = Instant::now();
        self.query_at = Instant::now();
    }

    pub(super) fn give_up_if_stopping(&mut self) {
        if self.stopping == Some(Stopping::Draining) {
            self.stopping = Some(Stopping::GivingUp);
            self.put_back_ready();
        }
    }

    pub(super) fn is_giving_up(&self) -> bool {
        matches!(self.stopping, Some(Stopping::GivingUp | Stopping::Done))
    }

    /// Returns whether nothing is being published and nothing more will be.
    pub(super) fn is_idle(&self) -> bool {
        let is_drained = || {
            let queue = &self.parts.queue;
            queue.len() == 0
                && !queue.needs_query()
                && self.retries.waiting() == 0
                && self.ready.is_empty()
                && self.ready_alone.is_empty()
        };
        self.in_flight == 0 && !self.is_claiming && (self.is_giving_up() || is_drained())
    }

    pub(super) fn has_stopped(&self) -> bool {
        let is_recorded = self.marks.len() == 0 || self.stopping == Some(Stopping::Done);
        self.stopping.is_some() && self.is_idle() && !self.is_recording && is_recorded
    }
}
