use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use internal_notifications_models::UserId;
use tokio::sync::Notify;

use crate::store::CommitListener;

/// The inboxes with unpublished changes, each once, first in first out. The store adds inboxes as
/// it commits, and the dispatcher takes them.
#[derive(Debug)]
pub(super) struct PublishQueue {
    state: Mutex<State>,
    added: Notify,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<UserId>,
    members: HashSet<UserId>,
    /// Whether further inboxes, which only the store knows, may have unpublished changes.
    incomplete: bool,
}

/// The most inboxes in the queue. Of the rest it only records that there are some.
const CAPACITY: usize = 100_000;

/// What the dispatcher does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Publish(Vec<UserId>),
    /// Ask the store which inboxes have unpublished changes.
    QueryStore,
    Nothing,
}

impl PublishQueue {
    /// Returns an empty queue. The store is queried first, for what an earlier run left behind.
    pub(super) fn new() -> Self {
        let state = State { queue: VecDeque::new(), members: HashSet::new(), incomplete: true };
        Self { state: Mutex::new(state), added: Notify::new() }
    }

    /// Returns how many inboxes are in the queue.
    pub(super) fn len(&self) -> usize {
        self.lock().queue.len()
    }

    /// Returns whether no inbox has unpublished changes.
    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.queue.is_empty() && !state.incomplete
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
        if std::mem::take(&mut state.incomplete) { Next::QueryStore } else { Next::Nothing }
    }

    /// Waits until there is something to do. Supports one waiter.
    pub(super) async fn wait(&self) {
        while self.is_empty() {
            self.added.notified().await;
        }
    }

    /// Requests a query of the store, after the inboxes in the queue.
    pub(super) fn request_query(&self) {
        self.lock().incomplete = true;
        self.added.notify_one();
    }

    pub(super) fn add<'u>(&self, users: impl IntoIterator<Item = &'u UserId>) {
        let mut state = self.lock();
        for user in users {
            if state.members.contains(user) {
                continue;
            }
            if state.members.len() >= CAPACITY {
                state.incomplete = true;
                break;
            }
            state.members.insert(user.clone());
            state.queue.push_back(user.clone());
        }
        drop(state);
        self.added.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CommitListener for PublishQueue {
    fn committed(&self, users: &mut dyn Iterator<Item = &UserId>) {
        self.add(users);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: impl std::fmt::Display) -> UserId {
        UserId::new(id.to_string()).expect("valid")
    }

    #[test]
    fn an_inbox_is_queued_once_and_in_order() {
        let queue = PublishQueue::new();
        queue.add(&[user("b"), user("a"), user("b")]);
        queue.add(&[user("a"), user("c")]);
        assert_eq!(queue.len(), 3);
        assert_eq!(queue.next(2), Next::Publish(vec![user("b"), user("a")]));
        queue.add(&[user("a")]);
        assert_eq!(queue.next(9), Next::Publish(vec![user("c"), user("a")]));
    }

    #[test]
    fn the_store_is_queried_first_and_whenever_the_queue_overflowed() {
        let queue = PublishQueue::new();
        assert_eq!(queue.next(1), Next::QueryStore);
        assert_eq!(queue.next(1), Next::Nothing);
        let users: Vec<UserId> = (0..=CAPACITY).map(user).collect();
        queue.add(&users);
        let Next::Publish(taken) = queue.next(usize::MAX) else { panic!("there are inboxes") };
        assert_eq!(taken.len(), CAPACITY);
        assert_eq!(queue.next(1), Next::QueryStore);
        assert!(queue.is_empty());
    }
}
