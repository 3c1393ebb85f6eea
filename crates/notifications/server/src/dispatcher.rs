//! Publishes what was stored: the log is the outbox. One task takes the inboxes that have new changes, publishes their changes in order and
//! moves their marks. Whatever it loses, catch-up brings; so it never makes a push wait.

mod commits;
mod marks;
mod outcome;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

pub use commits::Commits;

use crate::config::ChannelPrefix;
use crate::metrics::Metrics;
use crate::realtime::Realtime;
use crate::stop::{Stop, stop};
use crate::store::Store;
use worker::Worker;

/// The running dispatcher. Dropped, it stops at once.
#[derive(Debug)]
pub struct Dispatcher {
    stop: Stop,
    task: JoinHandle<()>,
    refused: Arc<AtomicU64>,
}

impl Dispatcher {
    /// Starts publishing what `commits` tells of, and what an earlier run left unpublished. The store must have been given the same
    /// `commits`.
    pub fn start(
        commits: Arc<Commits>,
        store: Arc<dyn Store>,
        realtime: Arc<dyn Realtime>,
        channels: ChannelPrefix,
    ) -> Self {
        Self::start_measured(commits, store, realtime, channels, Arc::default())
    }

    /// As [`start`](Self::start), counting what is published.
    pub fn start_measured(
        commits: Arc<Commits>,
        store: Arc<dyn Store>,
        realtime: Arc<dyn Realtime>,
        channels: ChannelPrefix,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (stop, stopped) = stop();
        let refused = Arc::new(AtomicU64::new(0));
        let worker = Worker::new(commits, store, realtime, channels, refused.clone(), metrics);
        Self { stop, task: tokio::spawn(worker.run(stopped)), refused }
    }

    /// Inboxes whose changes were refused for good by the engine and passed over, since the start.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Publishes what is waiting and writes the marks, for at most `limit`. What is left is published at the next start.
    pub async fn stop(&mut self, limit: Duration) {
        self.stop.stop();
        if tokio::time::timeout(limit, &mut self.task).await.is_err() {
            tracing::warn!("not everything was published in time; the rest will be at the next start");
        }
    }
}

impl Drop for Dispatcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests;
