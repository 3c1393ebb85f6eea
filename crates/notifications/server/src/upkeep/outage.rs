use std::time::Duration;

use crate::backoff::Backoff;
use crate::store::StoreError;

/// That a task cannot do its work now: logged once until it can again, however often it is met.
#[derive(Debug)]
pub(super) struct Trouble {
    work: &'static str,
    backoff: Backoff,
}

impl Trouble {
    pub(super) fn new(work: &'static str) -> Self {
        Self { work, backoff: Backoff::default() }
    }

    /// Met again; how long to wait.
    pub(super) fn met(&mut self, error: &StoreError) -> Duration {
        match self.backoff.is_fresh() {
            true => tracing::error!(%error, "{} cannot be done now; trying again", self.work),
            false => tracing::debug!(%error, "{} still cannot be done", self.work),
        }
        self.backoff.next()
    }

    /// It was done.
    pub(super) fn is_over(&mut self) {
        if !self.backoff.is_fresh() {
            tracing::info!("{} works again", self.work);
            self.backoff.reset();
        }
    }
}
