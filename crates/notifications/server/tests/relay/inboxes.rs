use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::{InternalNotification, PushLimits, UserId};
use internal_notifications_server::SystemClock;
use internal_notifications_server::config::ChannelPrefix;
use internal_notifications_server::relay::{IntentSource, PushRules, Relay};
use internal_notifications_server::store::Store;
use internal_notifications_server::store::postgres::{PostgresOptions, PostgresStore};
use internal_notifications_server::store::sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

use crate::PATIENCE;

/// A store, with helpers for tests.
pub(crate) struct Inboxes {
    pub(crate) store: Arc<dyn Store>,
    folder: TempDir,
}

impl Inboxes {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::default().with_busy_timeout(Duration::from_millis(50));
        let store = SqliteStore::open_file(&folder.path().join("inbox.db"), options).await.unwrap();
        Self { store: Arc::new(store), folder }
    }

    /// Opens a schema of the test database.
    pub(crate) async fn in_schema(url: &str, schema: &str) -> Self {
        let options = PostgresOptions::default().with_schema(schema);
        let store = PostgresStore::open(&url.parse().unwrap(), options).await.unwrap();
        Self { store: Arc::new(store), folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("inbox.db")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn relay(&self, sources: Vec<Box<dyn IntentSource>>) -> Relay {
        let mut limits = PushLimits::default();
        limits.recipients = 3;
        let rules = PushRules::new(ChannelPrefix::default(), limits);
        Relay::start(sources, self.store.clone(), Arc::new(SystemClock), rules, Arc::default())
    }

    pub(crate) async fn seq(&self) -> u64 {
        self.store.head(&ada()).await.unwrap().position.seq
    }

    /// Returns the contents of ada's inbox, oldest first, once it has had this many changes.
    pub(crate) async fn contents(&self, count: usize) -> Vec<String> {
        let there = async || self.seq().await >= count as u64;
        eventually(&format!("{count} changes"), there).await;
        let page = self.store.page(&ada(), 200, None).await.unwrap();
        page.notifications.into_iter().rev().map(|row| row.content).collect()
    }
}

pub(crate) fn ada() -> UserId {
    "ada".parse().unwrap()
}

/// Returns a notification with this id.
pub(crate) fn named(id: &str, content: &str) -> InternalNotification {
    InternalNotification::new(content).with_id(id.parse().unwrap())
}

pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("did not happen: {what}"));
}
