use std::future::Future;
use std::time::Duration;

use pusher_client::Backoff;
use rand::{Rng, RngExt};

use super::CallError;

/// The longest wait.
pub(crate) const CAP: Duration = Duration::from_secs(10);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), CAP);

/// The longest wait that a server is obeyed for.
pub(crate) const LONGEST_HOLD: Duration = Duration::from_secs(60 * 60);

/// How often a push is sent before it fails.
pub(crate) const TRIES: u32 = 4;
/// How long a push waits at most at a server's request. It fails at once rather than wait longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a call until its outcome is known, at most `tries` times. The call must be repeatable.
///
/// `wait` waits after a failed attempt, of which the first is number 1, for at least as long as the
/// server asked. If that is more than `patience`, the call fails.
pub(crate) async fn retry<T, C, W>(
    tries: u32,
    patience: Duration,
    call: impl Fn() -> C,
    wait: impl Fn(u32, Option<Duration>) -> W,
) -> Result<T, CallError>
where
    C: Future<Output = Result<T, CallError>>,
    W: Future<Output = ()>,
{
    let mut attempt = 1;
    loop {
        match call().await {
            Err(error)
                if error.is_retryable()
                    && attempt < tries
                    && error.retry_after().is_none_or(|hold| hold <= patience) =>
            {
                wait(attempt, error.retry_after()).await;
            }
            outcome => return outcome,
        }
        attempt = attempt.saturating_add(1);
    }
}

/// Returns the wait after a failed attempt, from 1: exponential backoff with full jitter.
pub(crate) fn delay(attempt: u32, rng: &mut dyn Rng) -> Duration {
    BACKOFF.delay(attempt, rng.random_range(0.0..=1.0))
}

/// Returns the wait after a failed attempt: the one that the server asked for, if it did.
pub(crate) fn pause(attempt: u32, asked: Option<Duration>, rng: &mut dyn Rng) -> Duration {
    match asked {
        Some(asked) => hold(asked, rng),
        None => delay(attempt, rng),
    }
}

/// Returns how long to wait if the server asked for this wait. It is spread, so that not all of its
/// clients come back at the same moment.
pub(crate) fn hold(asked: Duration, rng: &mut dyn Rng) -> Duration {
    let asked = asked.min(LONGEST_HOLD);
    asked + asked.mul_f64(rng.random_range(0.0..=0.1)) + delay(1, rng)
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

    #[test]
    fn a_wait_that_the_server_asks_for_is_kept_and_spread() {
        let mut rng = StdRng::seed_from_u64(7);
        for (asked, least, most) in [(0, 0, 1), (30, 30, 34), (1_000_000, 3_600, 3_961)] {
            let holds: Vec<_> = (0..200).map(|_| hold(Duration::from_secs(asked), &mut rng)).collect();
            let (least, most) = (Duration::from_secs(least), Duration::from_secs(most));
            assert!(holds.iter().all(|hold| (least..most).contains(hold)), "{asked}");
            assert!(holds.iter().any(|other| other.abs_diff(holds[0]) > (most - least) / 4), "{asked}");
        }
    }
}
