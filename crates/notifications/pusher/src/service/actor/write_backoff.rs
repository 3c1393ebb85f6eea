use internal_notifications_models::OpId;
use internal_notifications_service::{Inbox, WriteRequest};
use rand::rngs::StdRng;
use tokio::time::Instant;

use crate::api::retry;

/// Decides when the next write is sent.
pub(super) struct WriteBackoff {
    not_before: Instant,
    /// Attempts in a row that got no answer.
    failures: u32,
    /// Repeats in a row of writes that were answered, but whose history the replica could not find.
    repeats: u32,
    /// The write of the first of these repeats.
    repeated: Option<OpId>,
    rng: StdRng,
}

impl WriteBackoff {
    pub(super) fn new(rng: StdRng) -> Self {
        Self { not_before: Instant::now(), failures: 0, repeats: 0, repeated: None, rng }
    }

    pub(super) fn next(&self) -> Instant {
        self.not_before
    }

    /// Returns whether the last attempt failed and nothing suggests that the next would succeed.
    pub(super) fn is_down(&self) -> bool {
        self.failures > 0
    }

    pub(super) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = Instant::now() + retry::delay(self.failures, &mut self.rng);
    }

    /// Records that a write was rejected, not for good, but hardly for a short time.
    pub(super) fn failed_for_long(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = Instant::now() + retry::long_delay(self.failures, &mut self.rng);
    }

    /// Records that a write was answered. While writes are repeated, the wait grows with each
    /// repeat.
    pub(super) fn answered(&mut self, write: &WriteRequest) {
        self.server_is_up();
        if write.was_answered {
            self.repeated.get_or_insert_with(|| write.op.clone());
            self.repeats = self.repeats.saturating_add(1);
            self.not_before = Instant::now() + retry::delay(self.repeats, &mut self.rng);
        }
    }

    /// Ends the waits between repeats once the replica has the first repeated write.
    pub(super) fn update(&mut self, inbox: &Inbox) {
        if self.repeated.take_if(|op| inbox.pending_write(op).is_none()).is_some() {
            self.repeats = 0;
            if !self.is_down() {
                self.not_before = Instant::now();
            }
        }
    }

    /// Forgets earlier failures and repeats.
    pub(super) fn try_now(&mut self) {
        self.failures = 0;
        self.not_before = Instant::now();
    }

    /// Records that the server answered some request.
    pub(super) fn server_is_up(&mut self) {
        if self.is_down() {
            self.try_now();
        }
    }
}
