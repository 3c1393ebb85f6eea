use crate::sent::{Restore, Sent};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How the ids begin that users leave alone, because somebody waits to see them.
pub(crate) const AWAITED: &str = "awaited-";

/// What was asked of the servers, and answered.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Clone, Default)]
pub(crate) struct Entries {
    pub(crate) pushes: HashMap<String, Push>,
    /// The ids that were pushed to each user, in the order of their acknowledgements.
    pub(crate) pushed_to: Vec<Vec<String>>,
    /// What each user did, in order.
    pub(crate) writes: Vec<Vec<Write>>,
    pub(crate) restores: Vec<Restore>,
    /// Answers that must not have come.
    pub(crate) refused: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub(crate) users: Vec<usize>,
    pub(crate) sent: Sent,
}

#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) what: What,
    pub(crate) sent: Sent,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    Opened(Vec<String>),
    Unopened(Vec<String>),
    AllOpened,
    Removed(String),
}

impl Ledger {
    pub(crate) fn of(users: usize) -> Self {
        let entries = Entries {
            pushed_to: vec![Vec::new(); users],
            writes: vec![Vec::new(); users],
            ..Entries::default()
        };
        Self(Mutex::new(entries))
    }

    pub(crate) fn pushed(&self, id: String, users: Vec<usize>, sent: Sent) {
        let mut entries = self.entries();
        for user in &users {
            if let Some(ids) = entries.pushed_to.get_mut(*user) {
                ids.push(id.clone());
            }
        }
        entries.pushes.insert(id, Push { users, sent });
    }

    pub(crate) fn written(&self, user: usize, what: What, sent: Sent) {
        if let Some(writes) = self.entries().writes.get_mut(user) {
            writes.push(Write { what, sent });
        }
    }

    /// A copy of that time stands in the database's place now.
    pub(crate) fn restored(&self, copied: Instant) {
        self.entries().restores.push(Restore { copied, restored: Instant::now() });
    }

    pub(crate) fn refused(&self, what: String) {
        self.entries().refused.push(what);
    }

    /// What one reads of the user's ids.
    pub(crate) fn of_user<T>(&self, user: usize, read: impl FnOnce(&[String]) -> T) -> T {
        read(self.entries().pushed_to.get(user).map_or(&[], Vec::as_slice))
    }

    pub(crate) fn take(&self) -> Entries {
        self.entries().clone()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
