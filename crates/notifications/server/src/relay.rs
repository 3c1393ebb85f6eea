//! Delivers what apps pushed inside their own transactions (`internal-notifications-outbox`): takes intents out of each database's table, in
//! the order of their keys, pushes each under its id, and only then deletes it. A crash in between repeats the push, which then does nothing.

#[cfg(feature = "postgres")]
mod postgres;
mod push;
mod source;
#[cfg(feature = "sqlite")]
mod sqlite;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

#[cfg(feature = "postgres")]
pub(crate) use self::postgres::PostgresIntents;
pub use self::push::Rules;
pub use self::source::{IntentRow, IntentSource, Settled, SourceError, Taken};
#[cfg(feature = "sqlite")]
pub(crate) use self::sqlite::SqliteIntents;
use self::worker::Worker;
use crate::Clock;
use crate::metrics::Metrics;
use crate::stop::{Stop, stop};
use crate::store::Store;

/// The running relay, with a task for each database, so that one that is down does not hinder the others. Dropped, it stops at once.
pub struct Relay {
    stop: Stop,
    tasks: Vec<JoinHandle<()>>,
    metrics: Arc<Metrics>,
}

impl Relay {
    /// Starts relaying from these databases.
    pub fn start(
        sources: Vec<Box<dyn IntentSource>>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        rules: Rules,
    ) -> Self {
        Self::start_measured(sources, store, clock, rules, Arc::default())
    }

    /// As [`start`](Self::start), counting what is relayed.
    pub fn start_measured(
        sources: Vec<Box<dyn IntentSource>>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        rules: Rules,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (stop, stopped) = stop();
        let rules = Arc::new(rules);
        let work = |source| {
            let (store, clock, rules) = (store.clone(), clock.clone(), rules.clone());
            let worker = Worker::new(source, store, clock, rules, metrics.clone());
            tokio::spawn(worker.run(stopped.clone()))
        };
        let tasks = sources.into_iter().map(work).collect();
        Self { stop, tasks, metrics }
    }

    /// Intents that were pushed, since the start.
    pub fn relayed(&self) -> u64 {
        self.metrics.intents("relayed")
    }

    /// Intents that were refused and are marked failed in their tables, since the start.
    pub fn failed(&self) -> u64 {
        self.metrics.intents("failed")
    }

    /// Finishes the intent that each task is at, for at most `limit` in all. What is left is relayed at the next start.
    pub async fn stop(&mut self, limit: Duration) {
        self.stop.stop();
        let ended = async {
            for task in &mut self.tasks {
                let _ = task.await;
            }
        };
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!("not every intent was finished in time; the rest will be at the next start");
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("sources", &self.tasks.len()).finish_non_exhaustive()
    }
}
