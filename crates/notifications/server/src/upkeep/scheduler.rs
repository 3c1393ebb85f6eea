use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::outage::Outage;
use super::stopped_within;
use crate::Clock;
use crate::store::{Store, StoreError};

/// How often it checks for due notifications.
const TICK: Duration = Duration::from_millis(250);
/// How many inboxes one step changes.
const INBOXES: usize = 1000;

/// Delivers scheduled notifications when they fall due, and withdraws expired and retracted ones.
pub(super) struct Scheduler {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    outage: Outage,
}

impl Scheduler {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, stop: CancellationToken) -> Self {
        Self { store, clock, stop, outage: Outage::new("delivering and withdrawing due notifications") }
    }

    pub(super) async fn run(mut self) {
        loop {
            let wait = match self.catch_up().await {
                Ok(()) => {
                    self.outage.succeeded();
                    TICK
                }
                Err(error) => self.outage.failed(&error),
            };
            if stopped_within(&self.stop, wait).await {
                return;
            }
        }
    }

    /// Repeats steps until nothing is due.
    async fn catch_up(&self) -> Result<(), StoreError> {
        while !self.stop.is_cancelled() {
            if self.store.advance(self.clock.now(), INBOXES).await?.is_idle() {
                break;
            }
        }
        Ok(())
    }
}
