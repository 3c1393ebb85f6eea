use std::fmt;
use std::time::Duration;

use crate::rules::hooks::{Hooks, hook_setters};

/// How a PostgreSQL store works. The default is what a server wants.
#[derive(Clone)]
pub struct PostgresOptions {
    pub(super) schema: String,
    pub(super) connections: u32,
    pub(super) acquire_timeout: Duration,
    pub(super) call_timeout: Duration,
    pub(super) lease: Duration,
    pub(super) hooks: Hooks,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "internal_notifications".to_owned(),
            connections: 10,
            acquire_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(10),
            lease: Duration::from_secs(5),
            hooks: Hooks::default(),
        }
    }
}

impl PostgresOptions {
    /// The schema that its tables are in, made when it is missing; by default `internal_notifications`.
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// The most connections, of which about a third is kept from those who change inboxes; at least two, by default 10.
    pub fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(2);
        self
    }

    /// How long a call waits for a connection; by default 5 s.
    pub fn with_acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// How long a call may take; by default 10 s. What did not come to its end by then is not stored.
    pub fn with_call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// How long an inbox stays with the server that publishes its changes; by default 5 s. A publication must take less.
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    hook_setters!();

    /// Connections that may be changing inboxes at the same time. Those who wait for the same inbox must not keep readers out.
    pub(super) fn writers(&self) -> usize {
        let spared = (self.connections / 3).max(1);
        usize::try_from(self.connections.saturating_sub(spared).max(1)).unwrap_or(1)
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("schema", &self.schema)
            .field("connections", &self.connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("call_timeout", &self.call_timeout)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
