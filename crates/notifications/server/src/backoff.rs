use std::time::Duration;

/// Waits with full jitter between attempts, so that several servers do not return to an engine or a
/// database at the same moment.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

const DELAYS: pusher_protocol::Backoff =
    pusher_protocol::Backoff::new(Duration::from_millis(500), Duration::from_secs(10));

impl Backoff {
    /// Counts a failure and returns how long to wait before the next attempt.
    pub(crate) fn next(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        DELAYS.delay(self.failures, rand::random())
    }

    /// Returns whether there was no failure since the last success.
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
    fn delays_stay_below_a_limit_that_grows_to_the_cap() {
        let mut backoff = Backoff::default();
        for limit in [500, 1000, 2000, 4000, 8000, 10_000, 10_000] {
            assert!(backoff.next() <= Duration::from_millis(limit));
        }
        backoff.failures = u32::MAX;
        assert!(backoff.next() <= DELAYS.limit(u32::MAX));
        backoff.reset();
        assert!(backoff.is_fresh() && backoff.next() <= DELAYS.limit(1));
    }
}
