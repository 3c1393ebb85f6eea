use std::time::Duration;

use pusher_protocol::{CloseCode, Reaction};
use rand::{Rng, RngExt};

use super::loss::Loss;
use super::settings::reasonable;

/// How long to wait before the next attempt: a random part of a limit that doubles each time (full jitter), so that many
/// clients do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    reset_after: Duration,
}

impl Default for Backoff {
    /// From 0.5 s up to 10 s, beginning again once a connection has held 5 s.
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            cap: Duration::from_secs(10),
            reset_after: Duration::from_secs(5),
        }
    }
}

impl Backoff {
    /// The limit of the first wait.
    pub fn base(self, base: Duration) -> Self {
        Self { base: reasonable(base), ..self }
    }

    /// The limit that no wait exceeds, but for the second that close codes 4100–4199 ask for.
    pub fn cap(self, cap: Duration) -> Self {
        Self { cap: reasonable(cap), ..self }
    }

    /// How long a connection must hold for the waits to begin again at the base.
    pub fn reset_after(self, reset_after: Duration) -> Self {
        Self { reset_after: reasonable(reset_after), ..self }
    }

    /// The wait before attempt `attempt` (from 1).
    pub(crate) fn delay(&self, attempt: u32, rng: &mut dyn Rng) -> Duration {
        let doubled =
            2_u32.checked_pow(attempt.saturating_sub(1)).and_then(|factor| self.base.checked_mul(factor));
        let limit = doubled.map_or(self.cap, |limit| limit.min(self.cap));
        limit.mul_f64(rng.random_range(0.0..=1.0))
    }
}

/// What to do after a connection was lost or an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try again after this time; the number counts attempts from 1.
    Retry(u32, Duration),
    /// Do not.
    Stop,
}

/// The attempts since a connection last held.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    made: u32,
    at_once_used: bool,
}

impl Attempts {
    /// The decision after a loss; `held` is how long the connection stood, nothing for a failed attempt.
    pub(crate) fn next(&mut self, policy: &Backoff, loss: &Loss, held: Duration, rng: &mut dyn Rng) -> Next {
        if held >= policy.reset_after {
            *self = Self::default();
        }
        let reaction = loss.reaction();
        if reaction == Reaction::Stop {
            return Next::Stop;
        }
        self.made = self.made.saturating_add(1);
        if reaction == Reaction::AtOnce && !std::mem::replace(&mut self.at_once_used, true) {
            return Next::Retry(self.made, Duration::ZERO);
        }
        let delay = policy.delay(self.made, rng);
        let least = match loss.code() {
            Some(CloseCode(4100..=4199)) => Duration::from_secs(1),
            _ => Duration::ZERO,
        };
        Next::Retry(self.made, delay + least)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const HELD: Duration = Duration::from_secs(5);
    const NOT_HELD: Duration = Duration::from_millis(4_999);

    fn rng() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    fn closed(code: u16) -> Loss {
        Loss::Closed(CloseCode(code), String::new())
    }

    #[test]
    fn waits_are_spread_below_a_doubling_limit() {
        let (policy, mut rng) = (Backoff::default(), rng());
        for (attempt, limit) in
            [(1, 500), (2, 1_000), (3, 2_000), (5, 8_000), (6, 10_000), (u32::MAX, 10_000)]
        {
            let limit = Duration::from_millis(limit);
            let waits: Vec<_> = (0..200).map(|_| policy.delay(attempt, &mut rng)).collect();
            assert!(waits.iter().all(|wait| *wait <= limit), "{attempt}");
            assert!(waits.iter().any(|wait| *wait < limit / 4), "{attempt}");
            assert!(waits.iter().any(|wait| *wait > limit / 4 * 3), "{attempt}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_waits() {
        let waits = || {
            let mut rng = rng();
            (1..10).map(|attempt| Backoff::default().delay(attempt, &mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(waits(), waits());
    }

    #[test]
    fn a_4200_is_followed_at_once_only_once_until_a_connection_has_held() {
        let (policy, mut rng, mut attempts) = (Backoff::default(), rng(), Attempts::default());
        let loss = closed(4200);
        assert_eq!(attempts.next(&policy, &loss, NOT_HELD, &mut rng), Next::Retry(1, Duration::ZERO));
        for attempt in 2..5 {
            let Next::Retry(number, delay) = attempts.next(&policy, &loss, NOT_HELD, &mut rng) else {
                panic!()
            };
            assert_eq!(number, attempt);
            assert_ne!(delay, Duration::ZERO);
        }
        assert_eq!(attempts.next(&policy, &loss, HELD, &mut rng), Next::Retry(1, Duration::ZERO));
    }

    #[test]
    fn a_4100_waits_at_least_a_second() {
        let (policy, mut rng) = (Backoff::default(), rng());
        for _ in 0..50 {
            let loss = closed(4100);
            let next = Attempts::default().next(&policy, &loss, NOT_HELD, &mut rng);
            assert!(matches!(next, Next::Retry(1, delay) if delay >= Duration::from_secs(1)), "{next:?}");
        }
    }

    #[test]
    fn codes_of_refusal_stop() {
        let (policy, mut rng) = (Backoff::default(), rng());
        for code in [4000, 4001, 4009, 4099, 4300, 4999] {
            let next = Attempts::default().next(&policy, &closed(code), HELD, &mut rng);
            assert_eq!(next, Next::Stop, "{code}");
        }
    }

    #[test]
    fn a_silent_connection_is_replaced_at_once() {
        let (policy, mut rng) = (Backoff::default(), rng());
        let next = Attempts::default().next(&policy, &Loss::Silent, HELD, &mut rng);
        assert_eq!(next, Next::Retry(1, Duration::ZERO));
    }
}
