use std::collections::{BTreeSet, HashMap};

use internal_notifications_models::UserId;
use tokio::time::Instant;

use crate::backoff::Backoff;

/// The inboxes that could not be published, each with a backoff of its own.
///
/// Each of them is tried again alone, so that it cannot fail others.
#[derive(Debug, Default)]
pub(super) struct Retries {
    inboxes: HashMap<UserId, Inbox>,
    /// The inboxes that wait, in the order of their next attempts.
    waiting: BTreeSet<(Instant, UserId)>,
}

#[derive(Debug)]
struct Inbox {
    backoff: Backoff,
    due: Instant,
    /// How many requests the engine had answered when this inbox failed first.
    successes: u64,
}

/// The most inboxes. Beyond this, the dispatcher forgets a failed inbox until it queries the store.
const CAPACITY: usize = 10_000;

impl Retries {
    /// Returns how many inboxes wait for their next attempt.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Returns whether no inbox has failed.
    pub(super) fn is_empty(&self) -> bool {
        self.inboxes.is_empty()
    }

    /// Returns whether no further inbox can be kept.
    pub(super) fn is_full(&self) -> bool {
        self.inboxes.len() >= CAPACITY
    }

    /// Returns whether this inbox has failed and was not published since.
    pub(super) fn contains(&self, user_id: &UserId) -> bool {
        self.inboxes.contains_key(user_id)
    }

    /// Returns whether the engine has published others since this inbox failed first: then it is
    /// the inbox that fails, not the engine.
    pub(super) fn is_to_blame(&self, user_id: &UserId, successes: u64) -> bool {
        self.inboxes.get(user_id).is_some_and(|inbox| inbox.successes < successes)
    }

    /// Schedules an inbox that failed: at once if it was published together with others, which
    /// may have failed it, and otherwise after its backoff. Returns false if there is no room.
    pub(super) fn failed(&mut self, user_id: &UserId, was_alone: bool, successes: u64) -> bool {
        let now = Instant::now();
        if !self.contains(user_id) && self.is_full() {
            return false;
        }
        let new = || Inbox { backoff: Backoff::default(), due: now, successes };
        let inbox = self.inboxes.entry(user_id.clone()).or_insert_with(new);
        self.waiting.remove(&(inbox.due, user_id.clone()));
        inbox.due = if was_alone { now + inbox.backoff.next() } else { now };
        self.waiting.insert((inbox.due, user_id.clone()));
        true
    }

    /// Returns when the next attempt is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Takes the inboxes whose attempts are due, at most `most` of them.
    pub(super) fn take_due(&mut self, most: usize) -> Vec<UserId> {
        let now = Instant::now();
        let mut taken = Vec::new();
        while taken.len() < most && self.next_due().is_some_and(|due| due <= now) {
            taken.extend(self.waiting.pop_first().map(|(_, user_id)| user_id));
        }
        taken
    }

    /// Returns an inbox that was taken and not tried.
    pub(super) fn not_tried(&mut self, user_id: &UserId) {
        if let Some(inbox) = self.inboxes.get(user_id) {
            self.waiting.insert((inbox.due, user_id.clone()));
        }
    }

    /// Forgets an inbox that has nothing unpublished any more.
    pub(super) fn remove(&mut self, user_id: &UserId) {
        if let Some(inbox) = self.inboxes.remove(user_id) {
            self.waiting.remove(&(inbox.due, user_id.clone()));
        }
    }

    /// Makes all attempts due now.
    pub(super) fn make_due(&mut self) {
        let now = Instant::now();
        for (_, user_id) in std::mem::take(&mut self.waiting) {
            if let Some(inbox) = self.inboxes.get_mut(&user_id) {
                inbox.due = now;
                self.waiting.insert((now, user_id));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn user(id: impl std::fmt::Display) -> UserId {
        UserId::new(id.to_string()).expect("valid")
    }

    #[tokio::test(start_paused = true)]
    async fn an_inbox_that_failed_among_others_is_due_at_once_and_alone_after_its_backoff() {
        let mut retries = Retries::default();
        assert!(retries.failed(&user("ada"), false, 0));
        assert_eq!(retries.take_due(9), [user("ada")]);
        assert!(retries.contains(&user("ada")) && retries.waiting() == 0);
        for limit in [500, 1000, 2000] {
            let before = Instant::now();
            assert!(retries.failed(&user("ada"), true, 0));
            let due = retries.next_due().expect("it waits");
            assert!(due <= before + Duration::from_millis(limit));
            tokio::time::advance(due - before + Duration::from_millis(1)).await;
            assert_eq!(retries.take_due(9), [user("ada")]);
        }
        retries.remove(&user("ada"));
        assert!(!retries.contains(&user("ada")));
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_inbox_that_fails_while_others_are_published_is_to_blame() {
        let mut retries = Retries::default();
        retries.failed(&user("early"), false, 3);
        retries.failed(&user("late"), false, 4);
        assert!(!retries.is_to_blame(&user("early"), 3));
        assert!(retries.is_to_blame(&user("early"), 4));
        assert!(!retries.is_to_blame(&user("late"), 4) && !retries.is_to_blame(&user("other"), 4));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_those_within_keep_their_places() {
        let mut retries = Retries::default();
        for number in 0..CAPACITY {
            assert!(retries.failed(&user(number), false, 0));
        }
        assert!(!retries.failed(&user("one-more"), false, 0));
        assert!(retries.failed(&user(7), true, 0));
        assert_eq!((retries.waiting(), retries.inboxes.len()), (CAPACITY, CAPACITY));
    }
}
