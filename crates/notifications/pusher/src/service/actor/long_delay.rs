use std::time::Duration;

use rand::{Rng, RngExt};

use crate::api::retry;

/// The longest wait after a rejection that will hardly pass soon.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Returns the wait after a rejection that will hardly pass soon: ever longer, up to five minutes.
pub(super) fn long_delay(attempt: u32, rng: &mut dyn Rng) -> Duration {
    let limit = retry::CAP.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST);
    limit.mul_f64(rng.random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn waits_after_rejections_grow_up_to_five_minutes() {
        let mut rng = StdRng::seed_from_u64(7);
        for (attempt, limit) in [(0, 10), (1, 10), (2, 20), (5, 160), (6, 300), (u32::MAX, 300)] {
            let limit = Duration::from_secs(limit);
            let delays: Vec<_> = (0..200).map(|_| long_delay(attempt, &mut rng)).collect();
            assert!(delays.iter().all(|delay| (limit / 2..=limit).contains(delay)), "{attempt}");
        }
    }
}
