use internal_notifications_models::OpId;
use internal_notifications_service::{Inbox, WriteRequest};
use rand::rngs::StdRng;
use tokio::time::Instant;

use super::long_delay::long_delay;
use crate::api::retry;

/// Decides when the next write is sent.
pub(super) struct WriteBackoff {
    not_before: Instant,
    /// Attempts in a row that got no answer.
    failures: u32,
    /// Whether the last attempt was refused.
    is_refused: bool,
    /// Whether the answer to another request may end the wait after a refusal. It does so once:
    /// while writes alone are refused, it says nothing about them.
    may_retry: bool,
    /// Repeats in a row of writes that were answered, but whose history the replica could not find.
    repeats: u32,
    /// The write of the first of these repeats.
    repeated: Option<OpId>,
    rng: StdRng,
}

impl WriteBackoff {
    pub(super) fn new(rng: StdRng) -> Self {
        Self {
            not_before: Instant::now(),
            failures: 0,
            is_refused: false,
            may_retry: true,
            repeats: 0,
            repeated: None,
            rng,
        }
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
        self.is_refused = false;
        self.not_before = Instant::now() + retry::delay(self.failures, &mut self.rng);
    }

    /// Records that a write was rejected, not for good, but hardly for a short time.
    pub(super) fn failed_for_long(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.is_refused = true;
        self.not_before = Instant::now() + long_delay(self.failures, &mut self.rng);
    }

    /// Records that a write was answered. While writes are repeated, the wait grows with each
    /// repeat.
    pub(super) fn answered(&mut self, write: &WriteRequest) {
        self.judged();
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

    /// Forgets earlier failures.
    pub(super) fn try_now(&mut self) {
        (self.failures, self.is_refused, self.may_retry) = (0, false, true);
        self.not_before = Instant::now();
    }

    /// Records that the server accepted a write, or rejected it for good.
    pub(super) fn judged(&mut self) {
        if self.is_down() {
            self.try_now();
        }
    }

    /// Records that the server answered another request.
    pub(super) fn server_is_up(&mut self) {
        if !self.is_refused {
            self.judged();
        } else if std::mem::take(&mut self.may_retry) {
            self.not_before = Instant::now();
        }
    }

    /// Records that other requests are refused too, so that the end of that may end the wait.
    pub(super) fn reads_are_refused(&mut self) {
        self.may_retry = true;
    }
}
