use std::time::Duration;

use rand::{Rng, RngExt};

/// Returns the time until the next position check: 90 % to 100 % of the interval.
pub(crate) fn check_delay(interval: Duration, rng: &mut dyn Rng) -> Duration {
    interval.mul_f64(rng.random_range(0.9..=1.0))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_check_never_comes_after_its_interval() {
        let mut rng = StdRng::seed_from_u64(7);
        let minute = Duration::from_secs(60);
        let delays: Vec<_> = (0..200).map(|_| check_delay(minute, &mut rng)).collect();
        assert!(delays.iter().all(|delay| *delay <= minute && *delay >= minute.mul_f64(0.9)));
        assert!(delays.iter().any(|delay| *delay < minute.mul_f64(0.95)));
    }
}
