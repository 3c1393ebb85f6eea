use std::time::Duration;

use rand::rngs::StdRng;
use tokio::time::Instant;

use super::long_delay::long_delay;
use crate::api::retry;
use crate::service::check_delay::check_delay;

/// Decides when to send the next request.
pub(super) struct Schedule {
    interval: Duration,
    /// When the next position check is due.
    check_at: Instant,
    /// The earliest time of the next request.
    not_before: Instant,
    /// Requests in a row that failed.
    failures: u32,
    /// Answers in a row without progress.
    useless: u32,
    rng: StdRng,
}

/// The number of answers in a row without progress after which requests are delayed. A catch-up may
/// have to ask again at once.
const FREE_ATTEMPTS: u32 = 3;

impl Schedule {
    pub(super) fn new(interval: Duration, rng: StdRng) -> Self {
        let now = Instant::now();
        let mut schedule = Self { interval, check_at: now, not_before: now, failures: 0, useless: 0, rng };
        schedule.confirmed();
        schedule
    }

    /// Returns when to send the next request: as soon as possible if something is to be fetched,
    /// else when the position check is due.
    pub(super) fn next(&self, has_fetch: bool) -> Instant {
        if has_fetch { self.not_before } else { self.check_at.max(self.not_before) }
    }

    /// Sets the longest time between two position checks, from the next one on.
    pub(super) fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    pub(super) fn check_is_due(&self) -> bool {
        self.check_at <= Instant::now()
    }

    /// Makes a position check due now.
    pub(super) fn check_now(&mut self) {
        self.check_at = Instant::now();
    }

    /// Records that the replica is as new as the server.
    pub(super) fn confirmed(&mut self) {
        self.check_at = Instant::now() + check_delay(self.interval, &mut self.rng);
    }

    /// Records that a request was answered, with or without progress.
    pub(super) fn succeeded(&mut self, has_progress: bool) {
        if has_progress {
            return self.reset();
        }
        self.failures = 0;
        self.useless = self.useless.saturating_add(1);
        if self.useless > FREE_ATTEMPTS {
            self.not_before = Instant::now() + retry::delay(self.useless - FREE_ATTEMPTS, &mut self.rng);
        }
    }

    /// Records that a request failed and may succeed soon.
    pub(super) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = Instant::now() + retry::delay(self.failures, &mut self.rng);
    }

    /// Records that a request was rejected and will hardly succeed soon.
    pub(super) fn failed_for_long(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.not_before = Instant::now() + long_delay(self.failures, &mut self.rng);
    }

    /// Forgets earlier failures.
    pub(super) fn reset(&mut self) {
        (self.failures, self.useless) = (0, 0);
        self.not_before = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn schedule() -> Schedule {
        Schedule::new(Duration::from_secs(60), StdRng::seed_from_u64(7))
    }

    #[test]
    fn a_check_comes_within_its_interval_of_the_last_confirmation() {
        let mut schedule = schedule();
        let before = Instant::now();
        schedule.confirmed();
        let next = schedule.next(false);
        assert!(next <= Instant::now() + Duration::from_secs(60));
        assert!(next >= before + Duration::from_secs(54));
        assert!(schedule.next(true) <= Instant::now());
    }

    #[test]
    fn requests_are_delayed_after_several_answers_without_progress() {
        let mut schedule = schedule();
        for _ in 0..FREE_ATTEMPTS {
            schedule.succeeded(false);
            assert!(schedule.next(true) <= Instant::now());
        }
        let is_delayed = (0..20).any(|_| {
            schedule.succeeded(false);
            schedule.next(true) > Instant::now() + Duration::from_secs(1)
        });
        assert!(is_delayed);
        schedule.succeeded(true);
        assert!(schedule.next(true) <= Instant::now());
    }

    #[test]
    fn earlier_failures_do_not_delay_what_an_answer_calls_for() {
        let mut schedule = schedule();
        (0..8).for_each(|_| schedule.failed());
        schedule.not_before = Instant::now();
        schedule.succeeded(false);
        assert!(schedule.next(true) <= Instant::now());
    }
}
