use std::time::Duration;

use pusher_protocol::Backoff as Waits;

/// How long to wait after failures in a row: at random up to a bound that doubles (full jitter), so that several servers do not come back
/// to an engine or a database at the same moment.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

const WAITS: Waits = Waits::new(Duration::from_millis(500), Duration::from_secs(10));

impl Backoff {
    pub(crate) fn next(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        WAITS.delay(self.failures, rand::random())
    }

    /// Whether there was no failure since the last success.
    pub(crate) fn is_fresh(&self) -> bool {
        self.failures == 0
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_below_a_bound_that_grows_to_the_cap() {
        let mut backoff = Backoff::default();
        for bound in [500, 1000, 2000, 4000, 8000, 10_000, 10_000] {
            assert!(backoff.next() <= Duration::from_millis(bound));
        }
        backoff.failures = u32::MAX;
        assert!(backoff.next() <= WAITS.limit(u32::MAX));
        backoff.reset();
        assert!(backoff.is_fresh() && backoff.next() <= WAITS.limit(1));
    }
}
