//! The stores that there are.

use std::fmt;
use std::sync::Arc;

use internal_notifications_models::Tag;
use internal_notifications_store::Store;
use internal_notifications_store::memory::{MemoryOptions, MemoryStore};
use internal_notifications_store::postgres::{PostgresOptions, PostgresStore};
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore};

use crate::kept::{Kept, LEASE};

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
    Memory,
    /// In memory, for several at a time.
    Shared,
}

/// How a store is opened.
#[derive(Clone, Default)]
pub(crate) struct Options {
    tags: Option<Arc<dyn Fn() -> Tag + Send + Sync>>,
}

/// Tests of these functions on each of the kinds named, in a module for each kind.
macro_rules! on_stores {
    ([$($kind:ident $backend:ident),*] $claims:tt) => {
        $(on_stores!(@ $kind $backend $claims);)*
    };
    (@ $kind:ident $backend:ident ($($claim:ident),* $(,)?)) => {
        mod $kind {
            $(#[tokio::test]
            async fn $claim() {
                let on = crate::backend::Backend::$backend;
                if on.is_there() {
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

/// The ones that are compared with the rules.
macro_rules! on_every_database {
    ($($claims:tt)*) => {
        on_stores!([sqlite Sqlite, postgres Postgres] ($($claims)*));
    };
}

/// The ones that several servers can work on.
macro_rules! on_every_shared_store {
    ($($claims:tt)*) => {
        on_stores!([postgres Postgres, memory Shared] ($($claims)*));
    };
}

impl Backend {
    /// Says why when it is not.
    pub(crate) fn is_there(self) -> bool {
        let there = self != Self::Postgres || std::env::var("TEST_POSTGRES_URL").is_ok();
        if !there {
            println!("skipped: TEST_POSTGRES_URL is not set");
        }
        there
    }

    /// The store in memory that publishes as this one does.
    pub(crate) fn in_memory(self) -> Self {
        match self {
            Self::Postgres | Self::Shared => Self::Shared,
            Self::Sqlite | Self::Memory => Self::Memory,
        }
    }

    /// Whether calls that come together are done in their order.
    pub(crate) fn is_ordered(self) -> bool {
        self != Self::Postgres
    }
}

impl Options {
    pub(crate) fn with_tags(mut self, tags: impl Fn() -> Tag + Send + Sync + 'static) -> Self {
        self.tags = Some(Arc::new(tags));
        self
    }

    pub(crate) async fn open(&self, kept: &Kept) -> Arc<dyn Store> {
        macro_rules! with {
            ($options:expr) => {{
                let mut with = $options;
                if let Some(tags) = self.tags.clone() {
                    with = with.with_tags(move || tags());
                }
                with
            }};
        }
        match kept {
            Kept::Sqlite(folder) => {
                let file = folder.path().join("inbox.db");
                Arc::new(SqliteStore::open_file(&file, with!(SqliteOptions::default())).await.unwrap())
            }
            Kept::Postgres(schema) => {
                let options = PostgresOptions::default().with_schema(schema.name()).with_lease(LEASE);
                Arc::new(
                    PostgresStore::open(&schema.url(), with!(options.with_connections(4))).await.unwrap(),
                )
            }
            Kept::Memory { data, shared, .. } => {
                let options = MemoryOptions::default();
                let options = if *shared { options.shared() } else { options };
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
