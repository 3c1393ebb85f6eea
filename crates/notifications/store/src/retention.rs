use std::time::Duration;

/// What is kept, and for how long; `None` keeps for ever. What goes beyond leaves by changes that every client sees.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Notifications of an inbox younger than this, opened or not. Default: 365 days.
    pub age: Option<Duration>,
    /// The newest of an inbox. Default: 100,000.
    pub count: Option<u64>,
    /// Changes of a log younger than this: a client that was away for longer takes a snapshot. Default: 30 days.
    pub log_age: Option<Duration>,
    /// The newest changes of a log. Default: 10,000, beyond which a client is given a snapshot anyhow.
    pub log_count: Option<u64>,
    /// How long the id of a removed notification is remembered, so that pushing it again is a duplicate; at least until the log has
    /// forgotten it too. Default: 90 days.
    pub ids: Duration,
    /// How long an idempotency key is remembered. Default: 7 days.
    pub keys: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Retention {
    fn default() -> Self {
        Self {
            age: Some(365 * DAY),
            count: Some(100_000),
            log_age: Some(30 * DAY),
            log_count: Some(10_000),
            ids: 90 * DAY,
            keys: 7 * DAY,
        }
    }
}
