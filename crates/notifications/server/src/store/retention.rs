use std::time::Duration;

use internal_notifications_models::{Timestamp, UserId};

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

/// Which inboxes to look after, and by what rules.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Those after this user; from the first without one.
    pub after: Option<UserId>,
    /// At most so many inboxes.
    pub inboxes: usize,
    /// What is kept.
    pub keep: Retention,
    /// Now.
    pub now: Timestamp,
}

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Where to go on; none when the last inbox was looked after.
    pub next: Option<UserId>,
    /// Inboxes looked at.
    pub inboxes: u64,
    /// Notifications removed.
    pub pruned: u64,
    /// Records cut from logs.
    pub trimmed: u64,
    /// Counters that were wrong. They were repaired, by a change of the inbox.
    pub drifts: Vec<Drift>,
}

/// A pending count that was not the number of pending notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Whose.
    pub user_id: UserId,
    /// What the counter said.
    pub counter: u64,
    /// How many there were.
    pub counted: u64,
}

/// A moment that long ago, in milliseconds; the beginning of time where it cannot be told.
pub(super) fn ago(now: Timestamp, age: Duration) -> i64 {
    now.as_millisecond().saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}
