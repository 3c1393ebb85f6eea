use std::error::Error;
use std::time::Duration;

use crate::backoff::Backoff;
use crate::store::StoreError;

/// Logs when a task starts to fail and when it works again, and how long to wait in between.
#[derive(Debug)]
pub(super) struct Outage {
    work: &'static str,
    backoff: Backoff,
}

impl Outage {
    /// Returns the state of a task that works. `work` describes it in log messages.
    pub(super) fn new(work: &'static str) -> Self {
        Self { work, backoff: Backoff::default() }
    }

    /// Logs a failure and returns how long to wait before the next attempt.
    pub(super) fn failed(&mut self, error: &StoreError) -> Duration {
        let error: &dyn Error = error;
        match self.backoff.is_fresh() {
            true => tracing::error!(error, "{} failed; trying again", self.work),
            false => tracing::debug!(error, "{} failed again", self.work),
        }
        self.backoff.next()
    }

    /// Logs the end of the outage, if there was one.
    pub(super) fn succeeded(&mut self) {
        if !self.backoff.is_fresh() {
            tracing::info!("{} works again", self.work);
            self.backoff.reset();
        }
    }
}
