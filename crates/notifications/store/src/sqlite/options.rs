use std::fmt;
use std::time::Duration;

use crate::rules::hooks::{Hooks, hook_setters};

/// Options of a [`SqliteStore`](super::SqliteStore). The defaults suit a server.
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
    /// Sets the number of connections that read, each with its own thread. Default: 4, at least 1.
    pub fn with_readers(mut self, readers: u32) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// Sets how long to wait for another process that has locked the database. Default: 5 s.
    pub fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Sets how long [`Store::ready`](crate::Store::ready) waits. Default: 5 s.
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
