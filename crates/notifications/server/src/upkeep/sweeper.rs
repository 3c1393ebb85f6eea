use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::UserId;
use tokio::time::Instant;

use super::trouble::Trouble;
use crate::Clock;
use crate::stop::Stopped;
use crate::store::{Retention, Store, StoreError, Sweep, Swept};

/// Inboxes of one step.
const INBOXES: usize = 200;
/// The shortest rest between two steps.
const REST: Duration = Duration::from_millis(10);

/// Goes over all inboxes, again and again.
pub(super) struct Sweeper {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    keep: Retention,
    interval: Duration,
    stopped: Stopped,
    trouble: Trouble,
}

impl Sweeper {
    pub(super) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        keep: Retention,
        interval: Duration,
        stopped: Stopped,
    ) -> Self {
        Self { store, clock, keep, interval, stopped, trouble: Trouble::new("looking after inboxes") }
    }

    pub(super) async fn run(mut self) {
        let mut begun = Instant::now();
        loop {
            let rest = (begun + self.interval).saturating_duration_since(Instant::now());
            if self.stopped.within(rest).await {
                return;
            }
            begun = Instant::now();
            if self.pass().await {
                return;
            }
        }
    }

    /// Looks at every inbox once; whether it was stopped meanwhile.
    async fn pass(&mut self) -> bool {
        let mut after = None;
        loop {
            let begun = Instant::now();
            let rest = match self.step(after.clone()).await {
                Ok(swept) => {
                    self.trouble.is_over();
                    tell(&swept);
                    after = swept.next;
                    if after.is_none() {
                        return false;
                    }
                    // At most half of the time, so that those who push come in between.
                    begun.elapsed().max(REST)
                }
                Err(error) => self.trouble.met(&error),
            };
            if self.stopped.within(rest).await {
                return true;
            }
        }
    }

    async fn step(&self, after: Option<UserId>) -> Result<Swept, StoreError> {
        let (keep, now) = (self.keep.clone(), self.clock.now());
        self.store.sweep(Sweep::new(keep, now).with_after(after).with_limit(INBOXES)).await
    }
}

fn tell(swept: &Swept) {
    for drift in &swept.drifts {
        let (counter, counted) = (drift.counter, drift.counted);
        tracing::error!(user.id = %drift.user_id, counter, counted, "a pending count was wrong; it is repaired");
    }
    if swept.pruned > 0 || swept.trimmed > 0 {
        let (pruned, trimmed) = (swept.pruned, swept.trimmed);
        tracing::debug!(pruned, trimmed, "removed what is no longer kept");
    }
}
