use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::UserId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::outage::Outage;
use super::stopped_within;
use crate::Clock;
use crate::clock_guard::ClockGuard;
use crate::store::{Retention, Store, StoreError, Sweep, Swept};

/// How many inboxes one step covers.
const INBOXES: usize = 200;
/// The shortest pause between two steps.
const PAUSE: Duration = Duration::from_millis(10);

/// Passes over all inboxes again and again: checks their counts and enforces the retention.
pub(super) struct Sweeper {
    store: Arc<dyn Store>,
    clock: Arc<ClockGuard>,
    retention: Retention,
    interval: Duration,
    stop: CancellationToken,
    outage: Outage,
}

impl Sweeper {
    pub(super) fn new(
        store: Arc<dyn Store>,
        clock: Arc<ClockGuard>,
        retention: Retention,
        interval: Duration,
        stop: CancellationToken,
    ) -> Self {
        let outage = Outage::new("sweeping the inboxes");
        Self { store, clock, retention, interval, stop, outage }
    }

    pub(super) async fn run(mut self) {
        let mut started = Instant::now();
        loop {
            let rest = self.interval.saturating_sub(started.elapsed());
            if stopped_within(&self.stop, rest).await {
                return;
            }
            started = Instant::now();
            if self.pass().await {
                return;
            }
        }
    }

    /// Passes over every inbox once. Returns whether it was stopped.
    async fn pass(&mut self) -> bool {
        let mut after = None;
        loop {
            let started = Instant::now();
            let rest = match self.step(after.clone()).await {
                Ok(swept) => {
                    self.outage.succeeded();
                    log(&swept);
                    after = swept.next;
                    if after.is_none() {
                        return false;
                    }
                    // Uses at most half of the time, so that pushes get their turn.
                    started.elapsed().max(PAUSE)
                }
                Err(error) => self.outage.failed(&error),
            };
            if stopped_within(&self.stop, rest).await {
                return true;
            }
        }
    }

    async fn step(&self, after: Option<UserId>) -> Result<Swept, StoreError> {
        let keep = self.retention.clone();
        // An age by a wrong clock would empty inboxes for good.
        let (keep, now) = match self.clock.is_in_doubt() {
            true => (keep.without_ages(), self.clock.stamp()),
            false => (keep, self.clock.now()),
        };
        self.store.sweep(Sweep::new(keep, now).with_after(after).with_limit(INBOXES)).await
    }
}

fn log(swept: &Swept) {
    for drift in &swept.drifts {
        let (counter, counted) = (drift.counter, drift.counted);
        tracing::error!(user.id = %drift.user_id, counter, counted, "a pending count was wrong and was repaired");
    }
    for inbox in &swept.passed_over {
        let (pending, reason) = (inbox.pending, inbox.reason.as_str());
        tracing::warn!(user.id = %inbox.user_id, pending, reason, "an inbox could not be swept; the next pass tries again");
    }
    if swept.unforgotten > 0 {
        let notifications = swept.unforgotten;
        tracing::warn!(notifications, "some notifications could not be forgotten; the next pass tries again");
    }
    if swept.pruned > 0 || swept.trimmed > 0 || swept.forgotten > 0 {
        let (pruned, trimmed, forgotten) = (swept.pruned, swept.trimmed, swept.forgotten);
        tracing::debug!(pruned, trimmed, forgotten, "removed what exceeds the retention");
    }
}
