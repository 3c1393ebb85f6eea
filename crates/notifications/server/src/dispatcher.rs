//! Publishes stored changes: the change log is the outbox. One task takes the inboxes with new
//! changes, publishes these in order and records how far it came. It never delays a push, and
//! clients catch up on whatever it fails to deliver.
//!
//! Inboxes share requests, and several requests run at the same time, but an inbox is in one at a
//! time. Small commits overtake large ones. An inbox that fails is tried again alone, with a
//! backoff of its own; an engine that fails is tried by one request at a time.

mod engine_health;
mod engine_status;
mod publish_queue;
mod published_marks;
mod request;
mod retries;
mod store_calls;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::ChannelPrefix;
use crate::metrics::Metrics;
use crate::realtime::Realtime;
use crate::store::Store;
use crate::task::Task;
use engine_health::EngineHealth;
pub use engine_status::EngineStatus;
use publish_queue::PublishQueue;
use worker::{Parts, Worker};

/// A running dispatcher. Dropping it stops it at once.
#[derive(Debug)]
pub struct Dispatcher {
    stop: CancellationToken,
    task: Task,
    refused: Arc<AtomicU64>,
    engine: EngineStatus,
}

impl Dispatcher {
    /// Starts publishing what the store commits from now on, and what an earlier run left behind.
    pub fn start(
        store: Arc<dyn Store>,
        realtime: Arc<dyn Realtime>,
        channels: ChannelPrefix,
        metrics: Arc<Metrics>,
    ) -> Self {
        let queue = Arc::new(PublishQueue::new());
        store.set_commit_listener(queue.clone());
        let waiting = queue.clone();
        metrics.watch("unpublished_inboxes", "Inboxes with changes that are not published yet", move || {
            waiting.unpublished()
        });
        let engine = EngineStatus::default();
        let status = engine.clone();
        metrics.watch(
            "engine_rejecting",
            "1 while the Channels engine rejects this server, such as for its credentials, and nothing is published",
            move || usize::from(status.rejection().is_some()),
        );
        let (stop, refused) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let parts = Parts { queue, store, realtime, channels, refused: refused.clone(), metrics };
        let worker = Worker::new(parts, EngineHealth::new(engine.clone()));
        let task = Task::spawn(worker.run(stop.clone()));
        Self { stop, task, refused, engine }
    }

    /// Returns whether the engine rejects this server, as a handle that follows it.
    pub fn engine(&self) -> EngineStatus {
        self.engine.clone()
    }

    /// Returns for how many inboxes the engine has permanently rejected events since the start.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Waits until the task has ended, which it only does unexpectedly or when it is stopped.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        self.task.ended()
    }

    /// Publishes what is waiting, for at most `limit`. The next start publishes the rest.
    pub async fn stop(self, limit: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(limit, self.task).await.is_err() {
            tracing::warn!("not all changes were published in time; the next start publishes the rest");
        }
    }
}

#[cfg(test)]
mod engine_tests;
#[cfg(test)]
mod log_counter;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
