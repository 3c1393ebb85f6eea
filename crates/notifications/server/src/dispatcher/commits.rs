use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use internal_notifications_models::UserId;
use tokio::sync::Notify;

use crate::store::CommitListener;

/// The inboxes that have something to publish, each once, in the order in which they got it. The store fills it, the dispatcher empties it.
#[derive(Debug)]
pub struct Commits {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<UserId>,
    members: HashSet<UserId>,
    /// There are more than these; the store knows which.
    more: bool,
}

/// The most inboxes that are remembered here.
const MOST: usize = 100_000;

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Publish(Vec<UserId>),
    /// Ask the store who is behind.
    AskStore,
    Nothing,
}

impl Commits {
    /// Knows nothing yet, so that the store is asked first.
    pub fn new() -> Self {
        let state = State { queue: VecDeque::new(), members: HashSet::new(), more: true };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Inboxes that wait to be published; of very many those that are remembered here.
    pub fn waiting(&self) -> usize {
        self.lock().queue.len()
    }

    pub(super) fn next(&self, most: usize) -> Next {
        let mut state = self.lock();
        let count = most.min(state.queue.len());
        let users: Vec<UserId> = state.queue.drain(..count).collect();
        for user in &users {
            state.members.remove(user);
        }
        if !users.is_empty() {
            return Next::Publish(users);
        }
        if std::mem::take(&mut state.more) { Next::AskStore } else { Next::Nothing }
    }

    /// Waits until there is something. For one waiter.
    pub(super) async fn filled(&self) {
        while self.is_empty() {
            self.changed.notified().await;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.queue.is_empty() && !state.more
    }

    /// Has the store asked again, after what is here.
    pub(super) fn ask_store(&self) {
        self.lock().more = true;
        self.changed.notify_one();
    }

    pub(super) fn put<'u>(&self, users: impl IntoIterator<Item = &'u UserId>) {
        let mut state = self.lock();
        for user in users {
            if state.members.contains(user) {
                continue;
            }
            if state.members.len() >= MOST {
                state.more = true;
                break;
            }
            state.members.insert(user.clone());
            state.queue.push_back(user.clone());
        }
        drop(state);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Commits {
    fn default() -> Self {
        Self::new()
    }
}

impl CommitListener for Commits {
    fn committed(&self, users: &mut dyn Iterator<Item = &UserId>) {
        self.put(users);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: impl std::fmt::Display) -> UserId {
        UserId::new(id.to_string()).expect("valid")
    }

    #[test]
    fn an_inbox_waits_once_and_in_its_turn() {
        let commits = Commits::new();
        commits.put(&[user("b"), user("a"), user("b")]);
        commits.put(&[user("a"), user("c")]);
        assert_eq!(commits.next(2), Next::Publish(vec![user("b"), user("a")]));
        commits.put(&[user("a")]);
        assert_eq!(commits.next(9), Next::Publish(vec![user("c"), user("a")]));
    }

    #[test]
    fn the_store_is_asked_at_first_and_when_too_many_wait() {
        let commits = Commits::new();
        assert_eq!(commits.next(1), Next::AskStore);
        assert_eq!(commits.next(1), Next::Nothing);
        let users: Vec<UserId> = (0..=MOST).map(user).collect();
        commits.put(&users);
        let Next::Publish(taken) = commits.next(usize::MAX) else { panic!("there are inboxes") };
        assert_eq!(taken.len(), MOST);
        assert_eq!(commits.next(1), Next::AskStore);
        assert!(commits.is_empty());
    }
}
