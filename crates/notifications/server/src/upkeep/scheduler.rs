use std::sync::Arc;
use std::time::Duration;

use super::trouble::Trouble;
use crate::Clock;
use crate::stop::Stopped;
use crate::store::{Store, StoreError};

/// How often it looks: what falls due is done within this and the time that it takes.
const TICK: Duration = Duration::from_millis(250);
/// Inboxes of one step.
const INBOXES: usize = 1000;

/// Lets what has fallen due happen.
pub(super) struct Timekeeper {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    stopped: Stopped,
    trouble: Trouble,
}

impl Timekeeper {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, stopped: Stopped) -> Self {
        Self { store, clock, stopped, trouble: Trouble::new("delivering and withdrawing what is due") }
    }

    pub(super) async fn run(mut self) {
        loop {
            let wait = match self.catch_up().await {
                Ok(()) => {
                    self.trouble.is_over();
                    TICK
                }
                Err(error) => self.trouble.met(&error),
            };
            if self.stopped.within(wait).await {
                return;
            }
        }
    }

    /// Until nothing is due.
    async fn catch_up(&self) -> Result<(), StoreError> {
        while !self.stopped.has_come() {
            if self.store.advance(self.clock.now(), INBOXES).await?.is_idle() {
                break;
            }
        }
        Ok(())
    }
}
