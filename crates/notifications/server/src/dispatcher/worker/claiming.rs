use std::collections::BTreeSet;

use futures_util::FutureExt;
use internal_notifications_models::UserId;
use tokio::time::Instant;

use super::{Event, Worker};
use crate::dispatcher::request::{Inbox, InboxEvents};
use crate::dispatcher::store_calls::{Claimed, Readable, claim};
use crate::store::Unpublished;

/// How many inboxes are claimed at once.
const CLAIM: usize = 100;

impl Worker {
    pub(super) fn start_claim(&mut self) {
        if self.is_claiming || self.is_giving_up() || Instant::now() < self.store_resumes {
            return;
        }
        let users = self.next_users();
        if users.is_empty() {
            return;
        }
        let inboxes: Vec<_> = users.into_iter().map(|user| (user.clone(), self.marks.of(&user))).collect();
        self.busy.extend(inboxes.iter().map(|(user, _)| (user.clone(), false)));
        self.is_claiming = true;
        let store = self.parts.store.clone();
        self.running.push(async move { Event::Claimed(claim(store.as_ref(), inboxes).await) }.boxed());
    }

    /// Takes the inboxes to claim next: one that tries the engine if it has failed, and otherwise
    /// inboxes whose retries are due and those in the queue.
    pub(super) fn next_users(&mut self) -> Vec<UserId> {
        let is_waiting = self.parts.queue.len() > 0;
        if self.in_flight >= self.concurrency || !self.engine.may_send(is_waiting) {
            return Vec::new();
        }
        if self.engine.is_paused() {
            if !self.ready.is_empty() || !self.ready_alone.is_empty() {
                return Vec::new();
            }
            let first = self.take_from_queue(1);
            return if first.is_empty() { self.retries.take_due(1) } else { first };
        }
        if self.concurrency == 1 {
            return if self.ready.is_empty() { self.next_in_turn() } else { Vec::new() };
        }
        let mut users = match self.ready.is_empty() {
            true => self.take_from_queue(CLAIM),
            false => Vec::new(),
        };
        let taken = self.in_flight_alone + self.ready_alone.len();
        users.extend(self.retries.take_due(self.most_alone().saturating_sub(taken)));
        users
    }

    /// Takes a retry that is due, or what is in the queue. With one request at a time they take
    /// turns, so that neither waits for the other to become empty.
    fn next_in_turn(&mut self) -> Vec<UserId> {
        let most = usize::from(!self.was_retry);
        let mut users = self.retries.take_due(most);
        self.was_retry = !users.is_empty();
        if users.is_empty() {
            users = self.take_from_queue(CLAIM);
        }
        if users.is_empty() { self.retries.take_due(1) } else { users }
    }

    pub(super) fn take_from_queue(&mut self, most: usize) -> Vec<UserId> {
        let mut users = Vec::new();
        while users.len() < most {
            let taken = self.parts.queue.take(most - users.len());
            if taken.is_empty() {
                break;
            }
            for user in taken {
                if let Some(has_changed) = self.busy.get_mut(&user) {
                    *has_changed = true;
                } else if !self.retries.contains(&user) {
                    users.push(user);
                }
            }
        }
        users
    }

    /// Returns how many requests may be for inboxes that have failed: half, so that these cannot
    /// take the place of all others.
    pub(super) fn most_alone(&self) -> usize {
        (self.concurrency / 2).max(1)
    }

    pub(super) fn claimed(&mut self, Claimed { users, deadline, outcome }: Claimed) {
        self.is_claiming = false;
        let Readable { unpublished, damaged } = match outcome {
            Ok(readable) => readable,
            Err(error) => {
                users.iter().for_each(|user| self.put_back(user));
                self.store_failed(&error);
                return;
            }
        };
        self.store_works();
        let mut idle: BTreeSet<UserId> = users.into_iter().collect();
        for inbox in unpublished {
            idle.remove(&inbox.user_id);
            self.make_ready(inbox, deadline);
        }
        for (user, error) in damaged {
            idle.remove(&user);
            self.log_damage(&user, &error);
            self.busy.remove(&user);
            self.retry(&user, true);
        }
        for user in idle {
            self.retries.remove(&user);
            self.release(&user);
        }
    }

    pub(super) fn make_ready(&mut self, inbox: Unpublished, deadline: Option<Instant>) {
        let user = inbox.user_id.clone();
        match InboxEvents::encode(&self.parts.channels, inbox, deadline) {
            Some(Ok(events)) if self.retries.contains(&user) => self.ready_alone.push_back(events),
            Some(Ok(events)) => self.ready.push_back(events),
            Some(Err((user_id, seq, error))) => {
                self.log_refusal(&error);
                self.parts.metrics.published("refused", 1);
                self.published(Inbox { user_id, seq, events: 1 });
            }
            None => {
                self.retries.remove(&user);
                self.release(&user);
            }
        }
    }

    /// Ends the work on an inbox, and queues it again if it has changed meanwhile.
    pub(super) fn release(&mut self, user: &UserId) {
        if self.busy.remove(user) == Some(true) {
            self.parts.queue.add([user]);
        }
    }

    /// Returns an inbox that was not tried. It may belong to a large commit, which must not pass
    /// small ones.
    pub(super) fn put_back(&mut self, user: &UserId) {
        self.busy.remove(user);
        if self.retries.contains(user) {
            self.retries.not_tried(user);
        } else {
            self.parts.queue.add_found([user]);
        }
    }

    pub(super) fn put_back_ready(&mut self) {
        let ready = std::mem::take(&mut self.ready);
        let alone = std::mem::take(&mut self.ready_alone);
        ready.iter().chain(&alone).for_each(|inbox| self.put_back(&inbox.user_id));
    }
}
