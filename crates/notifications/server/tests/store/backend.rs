//! The stores that there are.

use std::fmt;
use std::sync::Arc;

use internal_notifications_models::Tag;
use internal_notifications_server::store::memory::{MemoryData, MemoryOptions, MemoryStore};
use internal_notifications_server::store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_server::store::{Committed, Store};
use tempfile::TempDir;

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Memory,
}

/// What a store keeps, while it is open and after.
pub(crate) enum Kept {
    Sqlite(TempDir),
    Memory(MemoryData),
}

/// How a store is opened.
#[derive(Clone, Default)]
pub(crate) struct Options {
    committed: Option<Arc<dyn Committed>>,
    tags: Option<Arc<dyn Fn() -> Tag + Send + Sync>>,
}

/// One test for each kind of store of each of these functions.
macro_rules! on_every_store {
    ($($claim:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $claim() {
                super::$claim(crate::backend::Backend::Sqlite).await;
            })*
        }

        mod memory {
            $(#[tokio::test]
            async fn $claim() {
                super::$claim(crate::backend::Backend::Memory).await;
            })*
        }
    };
}

/// As [`on_every_store`], for those that are compared with the rules.
macro_rules! on_every_database {
    ($($claim:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $claim() {
                super::$claim(crate::backend::Backend::Sqlite).await;
            })*
        }
    };
}

impl Kept {
    pub(crate) async fn new(on: Backend) -> Self {
        match on {
            Backend::Sqlite => Self::Sqlite(tempfile::tempdir().unwrap()),
            Backend::Memory => Self::Memory(MemoryData::default()),
        }
    }

    pub(crate) async fn open(&self, options: &Options) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(folder) => {
                let mut with = SqliteOptions::default();
                if let Some(committed) = &options.committed {
                    with = with.with_committed(committed.clone());
                }
                if let Some(tags) = options.tags.clone() {
                    with = with.with_tags(move || tags());
                }
                Arc::new(SqliteStore::open_file(&folder.path().join("inbox.db"), with).await.unwrap())
            }
            Self::Memory(data) => {
                let mut with = MemoryOptions::default();
                if let Some(committed) = &options.committed {
                    with = with.with_committed(committed.clone());
                }
                if let Some(tags) = options.tags.clone() {
                    with = with.with_tags(move || tags());
                }
                Arc::new(MemoryStore::open(data.clone(), with))
            }
        }
    }
}

impl Options {
    pub(crate) fn with_committed(mut self, committed: Arc<dyn Committed>) -> Self {
        self.committed = Some(committed);
        self
    }

    pub(crate) fn with_tags(mut self, tags: impl Fn() -> Tag + Send + Sync + 'static) -> Self {
        self.tags = Some(Arc::new(tags));
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").finish_non_exhaustive()
    }
}
