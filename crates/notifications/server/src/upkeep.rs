//! What a server does without being asked: what has fallen due enters and leaves inboxes, counters are compared, what is older or more than is
//! kept goes. All of it are changes, which the dispatcher publishes.

mod sweeper;
mod timekeeper;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::Clock;
use crate::stop::{Stop, stop};
use crate::store::{Retention, Store};
use sweeper::Sweeper;
use timekeeper::Timekeeper;

/// The running upkeep of a store: a timekeeper and a sweeper. Dropped, it stops at once; what is left is done by the next one.
#[derive(Debug)]
pub struct Upkeep {
    stop: Stop,
    tasks: Vec<JoinHandle<()>>,
}

impl Upkeep {
    /// Starts looking after a store by these rules. Passes over all inboxes begin `interval` apart, the first one after it; one that takes
    /// longer is followed by the next.
    pub fn start(store: Arc<dyn Store>, clock: Arc<dyn Clock>, keep: Retention, interval: Duration) -> Self {
        let (stop, stopped) = stop();
        let timekeeper = Timekeeper::new(store.clone(), clock.clone(), stopped.clone());
        let sweeper = Sweeper::new(store, clock, keep, interval, stopped);
        let tasks = vec![tokio::spawn(timekeeper.run()), tokio::spawn(sweeper.run())];
        Self { stop, tasks }
    }

    /// Finishes what is under way, for at most `limit`. To be called before the dispatcher is stopped, so that what it made is published.
    pub async fn stop(&mut self, limit: Duration) {
        self.stop.stop();
        let ended = futures_util::future::join_all(&mut self.tasks);
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!("the upkeep of inboxes did not end in time; the next start goes on with it");
        }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

#[cfg(test)]
mod tests;
