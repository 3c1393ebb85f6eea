use std::fmt;
use std::time::Duration;

use crate::rules::hooks::{Hooks, hook_setters};

/// Options of a [`PostgresStore`](super::PostgresStore). The defaults suit a server.
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
    /// Sets the schema of the tables, which is created if it is missing. Default:
    /// `internal_notifications`.
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Sets the most connections. About a third of them are reserved for reads. Default: 10, at
    /// least 2.
    pub fn with_connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(2);
        self
    }

    /// Sets how long a call waits for a connection. Default: 5 s.
    pub fn with_acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// Sets how long a call may take. A call that takes longer fails and stores nothing, except
    /// that a push may be stored with later pushes that share its transaction. Default: 10 s.
    pub fn with_call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// Sets how long an inbox is leased to the server that publishes its changes. Publishing must
    /// take less. Default: 5 s.
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    hook_setters!();

    /// Returns how many calls may change inboxes at the same time. The limit leaves connections to
    /// readers while calls wait for one inbox.
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
