use std::time::Duration;

use pusher_protocol::{Backoff, CloseCode, Reaction};
use rand::{Rng, RngExt};

use super::loss::Loss;
use super::settings::reasonable;

/// When to connect again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reconnect {
    pub(crate) backoff: Backoff,
    /// How long a connection must last for the backoff to begin again.
    pub(crate) reset_after: Duration,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self { backoff: Backoff::default(), reset_after: Duration::from_secs(5) }
    }
}

impl Reconnect {
    /// Returns the wait after `attempt` failed attempts in a row.
    pub(crate) fn delay(&self, attempt: u32, rng: &mut dyn Rng) -> Duration {
        reasonable(self.backoff.delay(attempt, rng.random_range(0.0..=1.0)))
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
    pub(crate) fn next(
        &mut self,
        policy: &Reconnect,
        loss: &Loss,
        held: Duration,
        rng: &mut dyn Rng,
    ) -> Next {
        if held >= policy.reset_after {
            *self = Self::default();
        }
        let reaction = loss.reaction();
        if reaction == Reaction::Stop {
            return Next::Stop;
        }
        self.made = self.made.saturating_add(1);
        if reaction == Reaction::Reconnect && !std::mem::replace(&mut self.at_once_used, true) {
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
    fn the_delays_are_spread_between_zero_and_the_limit() {
        let (policy, mut rng) = (Reconnect::default(), rng());
        for attempt in [1, 2, 6] {
            let limit = policy.backoff.limit(attempt);
            let delays: Vec<_> = (0..200).map(|_| policy.delay(attempt, &mut rng)).collect();
            assert!(delays.iter().all(|delay| *delay <= limit), "{attempt}");
            assert!(delays.iter().any(|delay| *delay < limit / 4), "{attempt}");
            assert!(delays.iter().any(|delay| *delay > limit / 4 * 3), "{attempt}");
        }
    }

    #[test]
    fn a_seed_repeats_the_delays() {
        let delays = || {
            let mut rng = rng();
            (1..10).map(|attempt| Reconnect::default().delay(attempt, &mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(delays(), delays());
    }

    #[test]
    fn a_4200_is_followed_at_once_only_once_until_a_connection_has_held() {
        let (policy, mut rng, mut attempts) = (Reconnect::default(), rng(), Attempts::default());
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
        let (policy, mut rng) = (Reconnect::default(), rng());
        for _ in 0..50 {
            let loss = closed(4100);
            let next = Attempts::default().next(&policy, &loss, NOT_HELD, &mut rng);
            assert!(matches!(next, Next::Retry(1, delay) if delay >= Duration::from_secs(1)), "{next:?}");
        }
    }

    #[test]
    fn codes_of_refusal_stop() {
        let (policy, mut rng) = (Reconnect::default(), rng());
        for code in [4000, 4001, 4009, 4099, 4300, 4999] {
            let next = Attempts::default().next(&policy, &closed(code), HELD, &mut rng);
            assert_eq!(next, Next::Stop, "{code}");
        }
    }

    #[test]
    fn a_silent_connection_is_replaced_at_once() {
        let (policy, mut rng) = (Reconnect::default(), rng());
        let next = Attempts::default().next(&policy, &Loss::Silent, HELD, &mut rng);
        assert_eq!(next, Next::Retry(1, Duration::ZERO));
    }
}
