use internal_notifications_models::OpId;
use internal_notifications_service::{Inbox, PendingWrite};
use rand::rngs::StdRng;
use tokio::time::Instant;

use crate::retry;

/// When the next write is sent.
pub(super) struct Pace {
    not_before: Instant,
    /// Attempts in a row without an answer.
    failures: u32,
    /// Repeats of writes in a row that were answered in vain: with a history that the replica could not find.
    in_vain: u32,
    /// The write that the first of these repeats was of.
    waits_for: Option<OpId>,
    rng: StdRng,
}

impl Pace {
    pub(super) fn new(rng: StdRng) -> Self {
        Self { not_before: Instant::now(), failures: 0, in_vain: 0, waits_for: None, rng }
    }

    pub(super) fn next(&self) -> Instant {
        self.not_before
    }

    /// Whether the last attempt was in vain, and nothing tells that the next would not be.
    pub(super) fn is_down(&self) -> bool {
        self.failures > 0
    }

    pub(super) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = Instant::now() + retry::delay(self.failures, &mut self.rng);
    }

    /// A write was answered. While writes are sent over and over, each is waited for, whichever it is.
    pub(super) fn answered(&mut self, write: &PendingWrite) {
        self.is_up();
        if write.was_answered() {
            self.waits_for.get_or_insert_with(|| write.op.clone());
            self.in_vain = self.in_vain.saturating_add(1);
            self.not_before = Instant::now() + retry::delay(self.in_vain, &mut self.rng);
        }
    }

    /// Repeats are in vain no more once the replica has the write.
    pub(super) fn look_at(&mut self, inbox: &Inbox) {
        if self.waits_for.take_if(|op| inbox.pending_write(op).is_none()).is_some() {
            self.in_vain = 0;
            if !self.is_down() {
                self.not_before = Instant::now();
            }
        }
    }

    /// The server can be reached, or so it seems.
    pub(super) fn is_up(&mut self) {
        if self.is_down() {
            self.failures = 0;
            self.not_before = Instant::now();
        }
    }
}
