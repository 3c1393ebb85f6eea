use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::gauge::Gauge;

/// The sum of what the steps of a pass found.
///
/// A higher sum shows at once, a lower one only after a whole pass.
#[derive(Debug, Default)]
pub(super) struct PassGauge {
    gauge: Gauge,
    /// The sum so far in the current pass.
    of_pass: AtomicU64,
}

impl PassGauge {
    /// Returns the metric to register.
    pub(super) fn metric(&self) -> Gauge {
        self.gauge.clone()
    }

    /// Adds what a step found, which may be the first or the last of a pass.
    pub(super) fn add(&self, found: u64, is_first: bool, is_last: bool) {
        let before = if is_first { 0 } else { self.of_pass.load(Ordering::Relaxed) };
        let sum = before.saturating_add(found);
        self.of_pass.store(sum, Ordering::Relaxed);
        let sum = i64::try_from(sum).unwrap_or(i64::MAX);
        if is_last || sum > self.gauge.get() {
            self.gauge.set(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_shows_at_once_and_clears_only_after_a_whole_pass_that_found_nothing() {
        let gauge = PassGauge::default();
        let step = |found, is_first, is_last| {
            gauge.add(found, is_first, is_last);
            gauge.metric().get()
        };
        assert_eq!(step(3, true, false), 3, "before the end of the pass");
        assert_eq!(step(1, false, true), 4);
        assert_eq!(step(0, true, false), 4, "the next pass has not ended");
        assert_eq!(step(0, false, true), 0);
        assert_eq!(step(2, true, true), 2);
    }
}
