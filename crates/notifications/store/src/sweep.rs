use internal_notifications_models::{Timestamp, UserId};

use crate::Retention;

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
