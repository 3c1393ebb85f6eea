use std::future::Future;
use std::time::Duration;

use pusher_client::Backoff;
use rand::{Rng, RngExt};

use crate::refusal::Refusal;

const CAP: Duration = Duration::from_secs(10);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), CAP);

/// How often a push is sent before its error is told.
pub(crate) const TRIES: u32 = 4;

/// Sends a call that may be repeated until its outcome is known, `tries` times at most. `wait` waits after a failed attempt (from 1).
pub(crate) async fn persist<T, C, W>(
    tries: u32,
    call: impl Fn() -> C,
    wait: impl Fn(u32) -> W,
) -> Result<T, Refusal>
where
    C: Future<Output = Result<T, Refusal>>,
    W: Future<Output = ()>,
{
    let mut attempt = 1;
    loop {
        match call().await {
            Err(refusal) if refusal.error.is_retryable() && attempt < tries => wait(attempt).await,
            outcome => return outcome,
        }
        attempt = attempt.saturating_add(1);
    }
}

/// How long to wait after the failed attempt `attempt` (from 1): a random part of a limit that doubles (full jitter).
pub(crate) fn delay(attempt: u32, rng: &mut dyn Rng) -> Duration {
    BACKOFF.delay(attempt, rng.random_range(0.0..=1.0))
}

/// How long to wait after what will hardly pass by itself: near the cap.
pub(crate) fn slow_delay(rng: &mut dyn Rng) -> Duration {
    CAP.mul_f64(rng.random_range(0.5..=1.0))
}

/// How long until the next position check: at most the interval, so that a loss is found within it.
pub(crate) fn check_delay(interval: Duration, rng: &mut dyn Rng) -> Duration {
    interval.mul_f64(rng.random_range(0.9..=1.0))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn waits_are_spread_below_a_doubling_limit() {
        let mut rng = StdRng::seed_from_u64(7);
        for (attempt, limit) in [(0, 500), (1, 500), (2, 1_000), (5, 8_000), (6, 10_000), (u32::MAX, 10_000)]
        {
            let limit = Duration::from_millis(limit);
            let waits: Vec<_> = (0..200).map(|_| delay(attempt, &mut rng)).collect();
            assert!(waits.iter().all(|wait| *wait <= limit), "{attempt}");
            assert!(waits.iter().any(|wait| *wait > limit / 4 * 3), "{attempt}");
        }
    }

    #[test]
    fn a_check_never_comes_after_its_interval() {
        let mut rng = StdRng::seed_from_u64(7);
        let minute = Duration::from_secs(60);
        let waits: Vec<_> = (0..200).map(|_| check_delay(minute, &mut rng)).collect();
        assert!(waits.iter().all(|wait| *wait <= minute && *wait >= minute.mul_f64(0.9)));
        assert!(waits.iter().any(|wait| *wait < minute.mul_f64(0.95)));
    }
}
