use crate::load::exchange::{Exchange, Restore};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The prefix of ids that a test waits for.
pub(crate) const AWAITED: &str = "awaited-";
/// The prefix of ids of scheduled notifications.
pub(crate) const SCHEDULED: &str = "scheduled-";

/// Returns whether users leave a notification as it is, since it need not be in their inbox yet.
pub(crate) fn is_untouched(id: &str) -> bool {
    id.starts_with(AWAITED) || id.starts_with(SCHEDULED)
}

/// All requests that the servers answered.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Clone, Default)]
pub(crate) struct Entries {
    pub(crate) pushes: HashMap<String, Push>,
    /// The ids pushed to each user, in the order of acknowledgement.
    pub(crate) pushed_to: Vec<Vec<String>>,
    /// The writes of each user, in order.
    pub(crate) writes: Vec<Vec<Write>>,
    pub(crate) restores: Vec<Restore>,
    /// Answers that are not allowed.
    pub(crate) unexpected: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub(crate) users: Vec<usize>,
    pub(crate) exchange: Exchange,
    /// When it falls due, if it was scheduled.
    pub(crate) due: Option<Instant>,
}

#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) action: Action,
    pub(crate) exchange: Exchange,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Opened(Vec<String>),
    Unopened(Vec<String>),
    AllOpened,
    Removed(String),
}

impl Write {
    /// Returns whether it may have opened or removed this notification before a time, after which a
    /// device that catches up announces it no more.
    pub(crate) fn settles(&self, id: &str, before: Instant) -> bool {
        let concerns = match &self.action {
            Action::Opened(ids) => ids.iter().any(|opened| opened == id),
            Action::AllOpened => true,
            Action::Removed(removed) => removed == id,
            Action::Unopened(_) => false,
        };
        concerns && self.exchange.first < before
    }
}

impl Ledger {
    pub(crate) fn new(users: usize) -> Self {
        let entries = Entries {
            pushed_to: vec![Vec::new(); users],
            writes: vec![Vec::new(); users],
            ..Entries::default()
        };
        Self(Mutex::new(entries))
    }

    pub(crate) fn record_push(
        &self,
        id: String,
        users: Vec<usize>,
        exchange: Exchange,
        due: Option<Instant>,
    ) {
        let mut entries = self.entries();
        for user in &users {
            if let Some(ids) = entries.pushed_to.get_mut(*user) {
                ids.push(id.clone());
            }
        }
        entries.pushes.insert(id, Push { users, exchange, due });
    }

    pub(crate) fn record_write(&self, user: usize, action: Action, exchange: Exchange) {
        if let Some(writes) = self.entries().writes.get_mut(user) {
            writes.push(Write { action, exchange });
        }
    }

    /// Records that a copy of that time has just replaced the database.
    pub(crate) fn record_restore(&self, copied: Instant) {
        self.entries().restores.push(Restore { copied, restored: Instant::now() });
    }

    pub(crate) fn record_unexpected(&self, answer: String) {
        self.entries().unexpected.push(answer);
    }

    /// Calls `read` with the ids pushed to a user, and returns its result.
    pub(crate) fn with_ids_of<T>(&self, user: usize, read: impl FnOnce(&[String]) -> T) -> T {
        read(self.entries().pushed_to.get(user).map_or(&[], Vec::as_slice))
    }

    pub(crate) fn entries_so_far(&self) -> Entries {
        self.entries().clone()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
