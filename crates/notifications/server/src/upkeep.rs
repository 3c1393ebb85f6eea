//! Periodic work: reads the clock, delivers scheduled notifications, withdraws expired ones, checks
//! the pending counts, and removes what exceeds the retention. All of these are changes, which the
//! dispatcher publishes.

mod outage;
mod scheduler;
mod sweeper;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock_guard::ClockGuard;
use crate::store::{Retention, Store};
use crate::supervisor::Tasks;
use crate::task::Task;
use scheduler::Scheduler;
use sweeper::Sweeper;

/// The running upkeep of a store. Dropping it stops it at once; the next start continues.
#[derive(Debug)]
pub(crate) struct Upkeep {
    stop: CancellationToken,
    scheduler: Task,
    sweeper: Task,
    watch: Task,
}

impl Upkeep {
    /// Starts the upkeep. Passes over all inboxes start `interval` apart, the first after one
    /// `interval`; a pass that takes longer is followed by the next one at once.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        clock: Arc<ClockGuard>,
        retention: Retention,
        interval: Duration,
    ) -> Self {
        let stop = CancellationToken::new();
        let scheduler = Scheduler::new(store.clone(), clock.clone(), stop.clone());
        let sweeper = Sweeper::new(store.clone(), clock.clone(), retention, interval, stop.clone());
        let watch = clock.watch(store, stop.clone());
        Self {
            stop,
            scheduler: Task::spawn(scheduler.run()),
            sweeper: Task::spawn(sweeper.run()),
            watch: Task::spawn(watch),
        }
    }

    /// Adds the tasks to those that are supervised.
    pub(crate) fn supervised(&self, tasks: &mut Tasks) {
        tasks.add("scheduler", self.scheduler.ended());
        tasks.add("sweeper", self.sweeper.ended());
        tasks.add("clock", self.watch.ended());
    }

    /// Finishes the current steps, for at most `limit`. Stop the dispatcher after this, so that it
    /// publishes their changes.
    pub(crate) async fn stop(self, limit: Duration) {
        self.stop.cancel();
        let ended = futures_util::future::join3(self.scheduler, self.sweeper, self.watch);
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!("the upkeep of the inboxes did not stop in time; the next start continues it");
        }
    }
}

/// Waits for this time, or until the task is stopped, and returns whether it was stopped.
async fn stopped_within(stop: &CancellationToken, time: Duration) -> bool {
    tokio::time::timeout(time, stop.cancelled()).await.is_ok()
}

#[cfg(test)]
mod tests;
