//! Delivers the pushes that apps commit in their own transactions
//! (`internal-notifications-outbox`).
//!
//! Takes intents out of the outbox table of each database, in the order of their keys, pushes each
//! under its id, and only then deletes it. After a crash in between, the push is repeated and
//! changes nothing.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod failure;
#[cfg(feature = "postgres")]
mod postgres;
mod push;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod raw_row;
mod resting;
mod source;
#[cfg(feature = "sqlite")]
mod sqlite;
mod waves;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

#[cfg(feature = "postgres")]
use self::postgres::PostgresIntents;
pub use self::push::PushRules;
pub use self::source::{IntentRow, IntentSource, PendingIntent, SettledIntent, SourceError};
#[cfg(feature = "sqlite")]
use self::sqlite::SqliteIntents;
use self::worker::Worker;
use crate::Clock;
use crate::config::{Database, OutboxDatabase};
use crate::metrics::Metrics;
use crate::store::Store;
use crate::supervisor::Tasks;
use crate::task::Task;

/// A running relay, with one task per source, so that one that is down does not block the others.
/// Dropping it stops it at once.
pub struct Relay {
    stop: CancellationToken,
    /// The tasks with the names of their sources.
    tasks: Vec<(String, Task)>,
    metrics: Arc<Metrics>,
}

/// Returns the intents in an app's database. The app creates the table.
pub fn intent_source(database: &OutboxDatabase) -> Box<dyn IntentSource> {
    open(database, false)
}

/// Returns the intents in the server's own database. The relay creates the table if it is missing.
pub fn own_intent_source(database: &OutboxDatabase) -> Box<dyn IntentSource> {
    open(database, true)
}

fn open(OutboxDatabase(database): &OutboxDatabase, creates_table: bool) -> Box<dyn IntentSource> {
    match *database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(ref path) => Box::new(SqliteIntents::new(path, creates_table)),
        #[cfg(feature = "postgres")]
        Database::Postgres(ref url) => Box::new(PostgresIntents::new(url.clone(), creates_table)),
    }
}

impl Relay {
    /// Starts relaying from these sources into the store.
    pub fn start(
        sources: Vec<Box<dyn IntentSource>>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        rules: PushRules,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (stop, rules) = (CancellationToken::new(), Arc::new(rules));
        let work = |source: Box<dyn IntentSource>| {
            let name = source.name().to_owned();
            let (store, clock, rules) = (store.clone(), clock.clone(), rules.clone());
            let worker = Worker::new(source, store, clock, rules, metrics.clone());
            (name, Task::spawn(worker.run(stop.clone())))
        };
        let tasks = sources.into_iter().map(work).collect();
        Self { stop, tasks, metrics }
    }

    /// Returns how many intents were pushed since the start.
    pub fn relayed(&self) -> u64 {
        self.metrics.intents("relayed")
    }

    /// Returns how many intents were refused, and marked failed in their table, since the start.
    pub fn failed(&self) -> u64 {
        self.metrics.intents("failed")
    }

    /// Adds the tasks to those that are supervised.
    pub(crate) fn supervised(&self, tasks: &mut Tasks) {
        for (source, task) in &self.tasks {
            tasks.add(format!("relay of {source}"), task.ended());
        }
    }

    /// Finishes the intents that each task is pushing, for at most `limit` in total. The next
    /// start relays the rest.
    pub async fn stop(self, limit: Duration) {
        self.stop.cancel();
        let ended = futures_util::future::join_all(self.tasks.into_iter().map(|(_, task)| task));
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!("not every intent was finished in time; the next start relays the rest");
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("sources", &self.tasks.len()).finish_non_exhaustive()
    }
}
