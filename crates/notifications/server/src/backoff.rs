use std::time::Duration;

/// How long to wait after failures in a row: at random up to a bound that doubles (full jitter), so that several servers do not come back
/// to an engine or a database at the same moment.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

const BASE: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(10);

impl Backoff {
    pub(crate) fn next(&mut self) -> Duration {
        let bound = BASE.saturating_mul(2_u32.saturating_pow(self.failures)).min(CAP);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(rand::random())
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
        assert!(backoff.next() <= CAP);
        backoff.reset();
        assert!(backoff.is_fresh() && backoff.next() <= BASE);
    }
}
