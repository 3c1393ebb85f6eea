use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use internal_notifications_models::UserId;
use tokio::sync::Notify;

use crate::store::CommitListener;

/// The inboxes with unpublished changes, each once. The store adds inboxes as it commits, and the
/// dispatcher takes them.
///
/// Inboxes wait in lanes by the size of the commit that changed them, so that a small push
/// overtakes a large one; within a lane they are first in, first out. An inbox that a smaller
/// commit changes meanwhile moves to that commit's lane.
#[derive(Debug)]
pub(super) struct PublishQueue {
    state: Mutex<State>,
    added: Notify,
    in_progress: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    /// An entry is valid if `members` names its lane.
    lanes: [VecDeque<UserId>; LANES],
    members: HashMap<UserId, usize>,
    /// Whether further inboxes, which only the store knows, may have unpublished changes.
    incomplete: bool,
}

const LANES: usize = 4;
/// The lane of the largest commits, and of the inboxes that the store was queried for.
const LAST: usize = LANES - 1;
/// The most inboxes in a lane. Of the rest it only records that there are some.
const CAPACITY: usize = 50_000;

impl PublishQueue {
    /// Returns an empty queue. The store is queried first, for what an earlier run left behind.
    pub(super) fn new() -> Self {
        let state = State { incomplete: true, ..State::default() };
        Self { state: Mutex::new(state), added: Notify::new(), in_progress: AtomicUsize::new(0) }
    }

    /// Returns how many inboxes have changes that are not published yet, as far as is known here.
    pub(super) fn unpublished(&self) -> usize {
        self.len() + self.in_progress.load(Ordering::Relaxed)
    }

    /// Sets how many inboxes were taken and are not published yet.
    pub(super) fn set_in_progress(&self, inboxes: usize) {
        self.in_progress.store(inboxes, Ordering::Relaxed);
    }

    /// Returns how many inboxes are in the queue.
    pub(super) fn len(&self) -> usize {
        self.lock().members.len()
    }

    /// Takes at most `most` inboxes. Each lane gets half of what the smaller ones left, so that no
    /// lane waits for another to become empty.
    pub(super) fn take(&self, most: usize) -> Vec<UserId> {
        let (mut state, mut taken) = (self.lock(), Vec::new());
        for lane in 0..LANES {
            let share = (most - taken.len()).div_ceil(2);
            state.take(lane, share, &mut taken);
        }
        for lane in 0..LANES {
            let rest = most - taken.len();
            state.take(lane, rest, &mut taken);
        }
        taken
    }

    /// Returns whether to ask the store which inboxes have unpublished changes.
    ///
    /// What it returns belongs into the last lane, so this lane must be empty.
    pub(super) fn needs_query(&self) -> bool {
        let state = self.lock();
        state.incomplete && state.lanes.last().is_none_or(VecDeque::is_empty)
    }

    /// Records that the store is being queried.
    pub(super) fn begin_query(&self) {
        self.lock().incomplete = false;
    }

    /// Requests a query of the store.
    pub(super) fn request_query(&self) {
        self.lock().incomplete = true;
        self.added.notify_one();
    }

    /// Waits until inboxes were added or a query was requested. Supports one waiter.
    pub(super) async fn changed(&self) {
        self.added.notified().await;
    }

    /// Adds the inboxes that one commit changed.
    pub(super) fn add<'u>(&self, users: impl IntoIterator<Item = &'u UserId>) {
        let users: Vec<_> = users.into_iter().collect();
        let lane = match users.len() {
            0..=10 => 0,
            11..=100 => 1,
            101..=1000 => 2,
            _ => LAST,
        };
        self.add_to(lane, users);
    }

    /// Adds inboxes that the store was queried for, and returns how many were new.
    pub(super) fn add_found<'u>(&self, users: impl IntoIterator<Item = &'u UserId>) -> usize {
        self.add_to(LAST, users)
    }

    fn add_to<'u>(&self, lane: usize, users: impl IntoIterator<Item = &'u UserId>) -> usize {
        let (mut state, mut added) = (self.lock(), 0);
        for user in users {
            if state.members.get(user).is_some_and(|current| *current <= lane) {
                continue;
            }
            let Some(waiting) = state.lanes.get_mut(lane).filter(|waiting| waiting.len() < CAPACITY) else {
                state.incomplete = true;
                break;
            };
            waiting.push_back(user.clone());
            state.members.insert(user.clone(), lane);
            added += 1;
        }
        drop(state);
        self.added.notify_one();
        added
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, lane: usize, most: usize, taken: &mut Vec<UserId>) {
        let Some(waiting) = self.lanes.get_mut(lane) else { return };
        let full = taken.len() + most;
        while taken.len() < full {
            let Some(user) = waiting.pop_front() else { return };
            if self.members.get(&user) == Some(&lane) {
                self.members.remove(&user);
                taken.push(user);
            }
        }
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

    fn users(prefix: &str, count: usize) -> Vec<UserId> {
        (0..count).map(|number| user(format!("{prefix}{number}"))).collect()
    }

    #[test]
    fn an_inbox_is_queued_once_and_in_order() {
        let queue = PublishQueue::new();
        queue.add(&[user("b"), user("a"), user("b")]);
        queue.add(&[user("a"), user("c")]);
        assert_eq!(queue.len(), 3);
        assert_eq!(queue.take(2), [user("b"), user("a")]);
        queue.add(&[user("a")]);
        assert_eq!(queue.take(9), [user("c"), user("a")]);
    }

    #[test]
    fn the_store_is_queried_first_and_whenever_the_queue_overflowed() {
        let queue = PublishQueue::new();
        assert!(queue.take(1).is_empty() && queue.needs_query());
        queue.begin_query();
        assert!(queue.take(1).is_empty() && !queue.needs_query());
        let users: Vec<UserId> = (0..=CAPACITY).map(user).collect();
        queue.add(&users);
        assert!(!queue.needs_query(), "what was added comes first");
        assert_eq!(queue.take(usize::MAX).len(), CAPACITY);
        assert!(queue.needs_query());
        queue.begin_query();
        assert!(queue.len() == 0 && !queue.needs_query());
    }

    #[test]
    fn a_small_commit_overtakes_a_large_one_and_does_not_stop_it() {
        let queue = PublishQueue::new();
        queue.add(&users("large", 5_000));
        queue.add(&users("medium", 50));
        queue.add(&users("small", 3));
        let taken = queue.take(20);
        assert_eq!(taken[..3], users("small", 3));
        let count = |prefix: &str| taken.iter().filter(|user| user.as_str().starts_with(prefix)).count();
        assert!(count("medium") >= 5 && count("large") >= 2, "{taken:?}");
        assert_eq!(taken.len(), 20);
    }

    #[test]
    fn small_commits_in_any_number_do_not_stop_a_large_one() {
        let queue = PublishQueue::new();
        queue.add(&users("large", 1_200));
        let mut taken_of_large = 0;
        for round in 0..100 {
            (0..200).for_each(|number| queue.add(&[user(format!("s{round}-{number}"))]));
            taken_of_large +=
                queue.take(100).iter().filter(|user| user.as_str().starts_with("large")).count();
        }
        assert_eq!(taken_of_large, 1_200);
    }

    #[test]
    fn an_inbox_in_a_large_commit_moves_ahead_with_a_small_one_and_is_taken_once() {
        let queue = PublishQueue::new();
        let large = users("u", 2_000);
        queue.add(&large);
        queue.add(&[user("u1999")]);
        queue.add(&large);
        assert_eq!(queue.len(), 2_000);
        let taken = queue.take(2_001);
        assert_eq!((&taken[0], taken.len()), (&user("u1999"), 2_000));
    }

    #[test]
    fn a_full_lane_leaves_room_for_small_commits() {
        let queue = PublishQueue::new();
        queue.add(&users("large", CAPACITY + 1));
        queue.add(&[user("small")]);
        assert_eq!(queue.take(1), [user("small")]);
    }

    #[test]
    fn inboxes_found_in_the_store_wait_behind_commits() {
        let queue = PublishQueue::new();
        assert_eq!(queue.add_found(&[user("found"), user("both")]), 2);
        queue.add(&[user("both")]);
        assert_eq!(queue.add_found(&[user("both")]), 0);
        assert_eq!(queue.take(2), [user("both"), user("found")]);
    }
}
