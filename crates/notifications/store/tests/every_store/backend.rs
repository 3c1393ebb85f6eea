//! The kinds of store that the tests run on.

use std::fmt;
use std::sync::Arc;

use internal_notifications_models::Tag;
use internal_notifications_store::Store;
use internal_notifications_store::memory::{MemoryOptions, MemoryStore};
use internal_notifications_store::postgres::{PostgresOptions, PostgresStore};
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore};

use crate::store_data::{LEASE, StoreData};

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
    Memory,
    /// In memory, with several stores over the same data.
    Shared,
}

/// Options for opening a store of any kind.
#[derive(Clone, Default)]
pub(crate) struct Options {
    tags: Option<Arc<dyn Fn() -> Tag + Send + Sync>>,
}

/// Generates a test of each function for each kind of store, in a module for each kind.
macro_rules! on_stores {
    ([$($kind:ident $backend:ident),*] $claims:tt) => {
        $(on_stores!(@ $kind $backend $claims);)*
    };
    (@ $kind:ident $backend:ident ($($claim:ident),* $(,)?)) => {
        mod $kind {
            $(#[tokio::test]
            async fn $claim() {
                let on = crate::backend::Backend::$backend;
                if on.is_available() {
                    super::$claim(on).await;
                }
            })*
        }
    };
}

macro_rules! on_every_store {
    ($($claims:tt)*) => {
        on_stores!([sqlite Sqlite, postgres Postgres, memory Memory] ($($claims)*));
    };
}

/// The stores that are compared with the memory store.
macro_rules! on_every_database {
    ($($claims:tt)*) => {
        on_stores!([sqlite Sqlite, postgres Postgres] ($($claims)*));
    };
}

/// The stores that several servers can share.
macro_rules! on_every_shared_store {
    ($($claims:tt)*) => {
        on_stores!([postgres Postgres, memory Shared] ($($claims)*));
    };
}

impl Backend {
    /// Returns whether this store can be tested here, and prints why if not.
    pub(crate) fn is_available(self) -> bool {
        let available = self != Self::Postgres || std::env::var("TEST_POSTGRES_URL").is_ok();
        if !available {
            println!("skipped: TEST_POSTGRES_URL is not set");
        }
        available
    }

    /// Returns the kind of memory store that publishes in the same way.
    pub(crate) fn in_memory(self) -> Self {
        match self {
            Self::Postgres | Self::Shared => Self::Shared,
            Self::Sqlite | Self::Memory => Self::Memory,
        }
    }

    /// Returns whether concurrent calls are executed in order.
    pub(crate) fn is_ordered(self) -> bool {
        self != Self::Postgres
    }
}

impl Options {
    pub(crate) fn with_tags(mut self, tags: impl Fn() -> Tag + Send + Sync + 'static) -> Self {
        self.tags = Some(Arc::new(tags));
        self
    }

    pub(crate) async fn open(&self, data: &StoreData) -> Arc<dyn Store> {
        macro_rules! with {
            ($options:expr) => {{
                let mut with = $options;
                if let Some(tags) = self.tags.clone() {
                    with = with.with_tags(move || tags());
                }
                with
            }};
        }
        match data {
            StoreData::Sqlite(folder) => {
                let file = folder.path().join("inbox.db");
                Arc::new(SqliteStore::open_file(&file, with!(SqliteOptions::default())).await.unwrap())
            }
            StoreData::Postgres(schema) => {
                let options = PostgresOptions::default().with_schema(schema.name()).with_lease(LEASE);
                Arc::new(
                    PostgresStore::open(&schema.url(), with!(options.with_connections(4))).await.unwrap(),
                )
            }
            StoreData::Memory { data, shared, .. } => {
                let options = MemoryOptions::default();
                let options = options.with_shared(*shared);
                Arc::new(MemoryStore::open(data.clone(), with!(options)))
            }
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").finish_non_exhaustive()
    }
}
