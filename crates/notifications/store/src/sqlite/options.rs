use std::fmt;
use std::time::Duration;

use crate::rules::hooks::{Hooks, hook_setters};

/// How an SQLite store works. The default is what a server wants.
#[derive(Clone)]
pub struct SqliteOptions {
    pub(super) readers: u32,
    pub(super) busy_timeout: Duration,
    pub(super) ready_timeout: Duration,
    pub(super) hooks: Hooks,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            ready_timeout: Duration::from_secs(5),
            hooks: Hooks::default(),
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

    hook_setters!();
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
