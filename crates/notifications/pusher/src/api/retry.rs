use std::future::Future;
use std::time::Duration;

use pusher_client::Backoff;
use rand::{Rng, RngExt};

use super::CallError;

/// The longest wait.
pub(crate) const CAP: Duration = Duration::from_secs(10);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), CAP);

/// How often a push is sent before it fails.
pub(crate) const TRIES: u32 = 4;

/// Sends a call until its outcome is known, at most `tries` times. The call must be repeatable.
///
/// `wait` waits after a failed attempt; the first is number 1.
pub(crate) async fn retry<T, C, W>(
    tries: u32,
    call: impl Fn() -> C,
    wait: impl Fn(u32) -> W,
) -> Result<T, CallError>
where
    C: Future<Output = Result<T, CallError>>,
    W: Future<Output = ()>,
{
    let mut attempt = 1;
    loop {
        match call().await {
            Err(error) if error.is_retryable() && attempt < tries => wait(attempt).await,
            outcome => return outcome,
        }
        attempt = attempt.saturating_add(1);
    }
}

/// Returns the wait after a failed attempt, from 1: exponential backoff with full jitter.
pub(crate) fn delay(attempt: u32, rng: &mut dyn Rng) -> Duration {
    BACKOFF.delay(attempt, rng.random_range(0.0..=1.0))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn delays_are_spread_below_a_doubling_limit() {
        let mut rng = StdRng::seed_from_u64(7);
        for (attempt, limit) in [(0, 500), (1, 500), (2, 1_000), (5, 8_000), (6, 10_000), (u32::MAX, 10_000)]
        {
            let limit = Duration::from_millis(limit);
            let delays: Vec<_> = (0..200).map(|_| delay(attempt, &mut rng)).collect();
            assert!(delays.iter().all(|delay| *delay <= limit), "{attempt}");
            assert!(delays.iter().any(|delay| *delay > limit / 4 * 3), "{attempt}");
        }
    }
}
