use std::time::Duration;

/// How much an inbox retains, and for how long. `None` means without limit.
///
/// A sweep removes what exceeds these limits. A removed notification is a change of the inbox that
/// every client sees.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// The age at which a notification is removed, opened or not. Default: 365 days.
    pub age: Option<Duration>,
    /// The most notifications of an inbox; the oldest are removed. Default: 100,000.
    pub count: Option<u64>,
    /// The age at which a change is cut from the log. A client that was away for longer receives a
    /// snapshot. Default: 30 days.
    pub log_age: Option<Duration>,
    /// The most changes of a log. Default: 10,000, since a client that missed more receives a
    /// snapshot anyway.
    pub log_count: Option<u64>,
    /// How long the id of a notification is remembered after it was removed, retracted or has
    /// expired, so that pushing it again is a duplicate. It is remembered at least as long as the
    /// log mentions it. Default: 90 days.
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

impl Retention {
    /// Returns limits under which nothing is removed from inboxes and logs.
    pub fn unlimited() -> Self {
        Self { age: None, count: None, log_age: None, log_count: None, ..Self::default() }
    }

    /// Returns these limits without those by age, under which nothing is removed or forgotten
    /// because of the time.
    #[must_use]
    pub fn without_ages(self) -> Self {
        Self { age: None, log_age: None, ids: Duration::MAX, keys: Duration::MAX, ..self }
    }

    /// Sets [`age`](Self::age).
    pub fn with_age(self, age: Option<Duration>) -> Self {
        Self { age, ..self }
    }

    /// Sets [`count`](Self::count).
    pub fn with_count(self, count: Option<u64>) -> Self {
        Self { count, ..self }
    }

    /// Sets [`log_age`](Self::log_age).
    pub fn with_log_age(self, log_age: Option<Duration>) -> Self {
        Self { log_age, ..self }
    }

    /// Sets [`log_count`](Self::log_count).
    pub fn with_log_count(self, log_count: Option<u64>) -> Self {
        Self { log_count, ..self }
    }

    /// Sets [`ids`](Self::ids).
    pub fn with_ids(self, ids: Duration) -> Self {
        Self { ids, ..self }
    }

    /// Sets [`keys`](Self::keys).
    pub fn with_keys(self, keys: Duration) -> Self {
        Self { keys, ..self }
    }
}
