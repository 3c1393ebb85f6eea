use internal_notifications_models::{Timestamp, UserId};

use crate::Retention;

/// Which inboxes to sweep, and what they retain.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sweep {
    /// What inboxes retain.
    pub retention: Retention,
    /// The current time.
    pub now: Timestamp,
    /// The user after whom to start; `None` for the first user.
    pub after: Option<UserId>,
    /// The most inboxes to sweep. Default: 100.
    pub limit: usize,
}

impl Sweep {
    /// Creates a sweep of the first inboxes.
    pub fn new(retention: Retention, now: Timestamp) -> Self {
        Self { retention, now, after: None, limit: 100 }
    }

    /// Sets [`after`](Self::after).
    pub fn with_after(self, after: Option<UserId>) -> Self {
        Self { after, ..self }
    }

    /// Sets [`limit`](Self::limit).
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// The user after whom to continue; `None` at the end of the pass.
    pub next: Option<UserId>,
    /// The number of inboxes that were swept.
    pub inboxes: u64,
    /// The number of notifications that were removed.
    pub pruned: u64,
    /// The number of changes that were cut from logs.
    pub trimmed: u64,
    /// The number of notifications that were forgotten with their bodies, since no inbox, schedule
    /// or withdrawal refers to them any more.
    pub forgotten: u64,
    /// The pending counts that were wrong. Each was repaired by a change of its inbox.
    pub drifts: Vec<Drift>,
    /// The inboxes that could not be swept, although the database works. The next pass tries again.
    pub passed_over: Vec<PassedOver>,
    /// The number of inboxes whose user id cannot be read, as only in a damaged database. They are
    /// not swept.
    pub unreadable: u64,
    /// The number of notifications that could not be forgotten, although the database works. The
    /// next pass tries again.
    pub unforgotten: u64,
}

/// A pending count that differed from the number of pending notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// The user whose inbox it is.
    pub user_id: UserId,
    /// The wrong count.
    pub counter: u64,
    /// The number of pending notifications.
    pub counted: u64,
}

impl Drift {
    /// Creates a drift.
    pub fn new(user_id: UserId, counter: u64, counted: u64) -> Self {
        Self { user_id, counter, counted }
    }
}

/// An inbox that could not be swept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassedOver {
    /// The user whose inbox it is.
    pub user_id: UserId,
    /// The pending count of the inbox, which was not checked.
    pub pending: u64,
    /// Why, in one sentence.
    pub reason: String,
}

impl PassedOver {
    /// Creates the report about an inbox.
    pub fn new(user_id: UserId, pending: u64, reason: impl Into<String>) -> Self {
        Self { user_id, pending, reason: reason.into() }
    }
}
