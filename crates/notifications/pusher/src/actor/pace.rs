use internal_notifications_models::OpId;
use rand::rngs::StdRng;
use tokio::time::Instant;

use crate::retry;

/// When the next write is sent.
pub(super) struct Pace {
    not_before: Instant,
    /// Attempts in a row without an answer.
    failures: u32,
    /// The last write that was answered, and how often again, since the answer was of a history that the replica could not find.
    answered: Option<(OpId, u32)>,
    rng: StdRng,
}

impl Pace {
    pub(super) fn new(rng: StdRng) -> Self {
        Self { not_before: Instant::now(), failures: 0, answered: None, rng }
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

    /// A write was answered. One that is sent over and over is waited for.
    pub(super) fn answered(&mut self, op: &OpId) {
        self.is_up();
        let before = self.answered.take().filter(|(last, _)| last == op);
        let again = before.map_or(0, |(_, again)| again.saturating_add(1));
        if again > 0 {
            self.not_before = Instant::now() + retry::delay(again, &mut self.rng);
        }
        self.answered = Some((op.clone(), again));
    }

    /// The server can be reached, or so it seems.
    pub(super) fn is_up(&mut self) {
        if self.is_down() {
            self.failures = 0;
            self.not_before = Instant::now();
        }
    }
}
