//! The data of stores, which outlives them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use internal_notifications_models::Timestamp;
use internal_notifications_store::Clock;
use internal_notifications_store::memory::MemoryData;
use internal_notifications_store::postgres::PostgresUrl;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::backend::Backend;

/// The lease of an inbox on PostgreSQL, long enough for tests that do not wait for its end.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

pub(crate) enum StoreData {
    Sqlite(TempDir),
    Postgres(Schema),
    Memory { data: MemoryData, clock: Arc<ManualClock>, shared: bool },
}

/// The schema of one test, dropped after it.
pub(crate) struct Schema(String);

/// A clock that a test moves.
#[derive(Default)]
pub(crate) struct ManualClock(AtomicI64);

impl StoreData {
    pub(crate) fn new(on: Backend) -> Self {
        match on {
            Backend::Sqlite => Self::Sqlite(tempfile::tempdir().unwrap()),
            Backend::Postgres => Self::Postgres(Schema(format!("test_{:x}", rand::random::<u64>()))),
            Backend::Memory | Backend::Shared => {
                let clock = Arc::new(ManualClock::default());
                let shared = on == Backend::Shared;
                Self::Memory { data: MemoryData::new(clock.clone()), clock, shared }
            }
        }
    }

    /// Moves the clock of a memory store. The time of the others passes by itself.
    pub(crate) fn pass(&self, time: Duration) {
        if let Self::Memory { clock, .. } = self {
            clock.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
        }
    }
}

impl Schema {
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    pub(crate) fn url(&self) -> PostgresUrl {
        std::env::var("TEST_POSTGRES_URL").unwrap().parse().unwrap()
    }

    async fn drop(name: &str) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect(&std::env::var("TEST_POSTGRES_URL").unwrap()).await?;
        let sql = format!("SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS \"{name}\" CASCADE");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        connection.close().await
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // On another thread, since the runtime of the test is running on this one.
        let dropped = std::thread::spawn(move || runtime.block_on(Self::drop(&name))).join();
        if let Ok(Err(error)) = dropped {
            println!("a schema is left behind: {error}");
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.now().as_duration().unsigned_abs()
    }
}
