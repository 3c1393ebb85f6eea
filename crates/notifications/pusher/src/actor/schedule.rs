use std::time::Duration;

use rand::rngs::StdRng;
use tokio::time::Instant;

use crate::retry;

/// When the server is asked next.
pub(super) struct Schedule {
    interval: Duration,
    /// When the position is to be checked.
    check_at: Instant,
    /// Nothing is asked before.
    not_before: Instant,
    /// Questions in a row that failed, or were answered without leading anywhere.
    in_vain: u32,
    rng: StdRng,
}

/// Answers in a row that may lead nowhere before the next is waited for: a catch-up may have to ask again at once.
const PATIENCE: u32 = 3;

impl Schedule {
    pub(super) fn new(interval: Duration, rng: StdRng) -> Self {
        let now = Instant::now();
        let mut schedule = Self { interval, check_at: now, not_before: now, in_vain: 0, rng };
        schedule.confirmed();
        schedule
    }

    /// When the next question is asked: as soon as possible if there is one, else when the position is to be checked.
    pub(super) fn next(&self, wanted: bool) -> Instant {
        if wanted { self.not_before } else { self.check_at.max(self.not_before) }
    }

    /// Whether the position is to be checked by now.
    pub(super) fn check_is_due(&self) -> bool {
        self.check_at <= Instant::now()
    }

    /// The replica was as new as the server just now.
    pub(super) fn confirmed(&mut self) {
        self.check_at = Instant::now() + retry::check_delay(self.interval, &mut self.rng);
    }

    /// A question was answered, and led somewhere or not.
    pub(super) fn answered(&mut self, useful: bool) {
        if useful {
            return self.hurry();
        }
        self.in_vain = self.in_vain.saturating_add(1);
        if self.in_vain > PATIENCE {
            self.not_before = Instant::now() + retry::delay(self.in_vain - PATIENCE, &mut self.rng);
        }
    }

    /// A question failed, and may be asked again soon.
    pub(super) fn failed(&mut self) {
        self.in_vain = self.in_vain.saturating_add(1);
        self.not_before = Instant::now() + retry::delay(self.in_vain, &mut self.rng);
    }

    /// A question was refused, and will hardly do better soon.
    pub(super) fn failed_slowly(&mut self) {
        self.in_vain = self.in_vain.saturating_add(1);
        self.not_before = Instant::now() + retry::slow_delay(&mut self.rng);
    }

    /// Failures of before count no more.
    pub(super) fn hurry(&mut self) {
        self.in_vain = 0;
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
    fn answers_that_lead_nowhere_are_waited_for_in_the_end() {
        let mut schedule = schedule();
        for _ in 0..PATIENCE {
            schedule.answered(false);
            assert!(schedule.next(true) <= Instant::now());
        }
        let far = (0..20).any(|_| {
            schedule.answered(false);
            schedule.next(true) > Instant::now() + Duration::from_secs(1)
        });
        assert!(far);
        schedule.answered(true);
        assert!(schedule.next(true) <= Instant::now());
    }
}
