use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::Tag;

use crate::store::Committed;

/// How an SQLite store works. The default is what a server wants.
#[derive(Clone)]
pub struct SqliteOptions {
    pub(super) readers: u32,
    pub(super) busy_timeout: Duration,
    pub(super) ready_timeout: Duration,
    pub(super) committed: Option<Arc<dyn Committed>>,
    pub(super) tags: Arc<dyn Fn() -> Tag + Send + Sync>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            ready_timeout: Duration::from_secs(5),
            committed: None,
            tags: Arc::new(|| Tag::from_bits(rand::random())),
        }
    }
}

impl SqliteOptions {
    /// Connections that read, each with a thread of its own; at least one.
    pub fn with_readers(mut self, readers: u32) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// How long to wait for a foreign process (a backup, say) that has the database locked.
    pub fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How long `ready` waits.
    pub fn with_ready_timeout(mut self, timeout: Duration) -> Self {
        self.ready_timeout = timeout;
        self
    }

    /// Who hears of commits.
    pub fn with_committed(mut self, committed: Arc<dyn Committed>) -> Self {
        self.committed = Some(committed);
        self
    }

    /// Where the tags of changes come from; random by default, and but for tests they must be.
    pub fn with_tags(mut self, tags: impl Fn() -> Tag + Send + Sync + 'static) -> Self {
        self.tags = Arc::new(tags);
        self
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("readers", &self.readers)
            .field("busy_timeout", &self.busy_timeout)
            .field("ready_timeout", &self.ready_timeout)
            .finish_non_exhaustive()
    }
}
