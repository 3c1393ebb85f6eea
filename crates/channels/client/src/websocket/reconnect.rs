use std::time::Duration;

use pusher_protocol::{Backoff, CloseCode, Reaction};
use rand::{Rng, RngExt};

use super::disconnect_reason::DisconnectReason;

/// The longest timeout and wait. Clocks cannot add every duration.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Limits a duration to a day.
pub(crate) fn at_most_a_day(duration: Duration) -> Duration {
    duration.min(LONGEST)
}

/// The policy for connecting again.
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
        at_most_a_day(self.backoff.delay(attempt, rng.random_range(0.0..=1.0)))
    }
}

/// What follows a lost connection or failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The attempt with this number, from 1, after this wait.
    Retry(u32, Duration),
    /// No further attempt.
    Stop,
}

/// The attempts since a connection last lasted.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    made: u32,
    /// Whether one of them was made at once, after a connection without a pong.
    reconnected_at_once: bool,
}

impl Attempts {
    /// Decides what follows. `lasted` is how long the connection existed; zero for a failed
    /// attempt.
    pub(crate) fn next(
        &mut self,
        policy: &Reconnect,
        reason: &DisconnectReason,
        lasted: Duration,
        rng: &mut dyn Rng,
    ) -> Next {
        if lasted >= policy.reset_after {
            *self = Self::default();
        }
        let reaction = reason.reaction();
        if reaction == Reaction::Stop {
            return Next::Stop;
        }
        self.made = self.made.saturating_add(1);
        // After a close code all clients come back at the same time, so that they need jitter.
        let is_alone = matches!(reason, DisconnectReason::PongTimeout);
        if is_alone && !std::mem::replace(&mut self.reconnected_at_once, true) {
            return Next::Retry(self.made, Duration::ZERO);
        }
        let delay = policy.delay(self.made, rng);
        let minimum = match reason.code() {
            Some(CloseCode(4100..=4199)) => Duration::from_secs(1),
            _ => Duration::ZERO,
        };
        Next::Retry(self.made, delay + minimum)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const LASTED: Duration = Duration::from_secs(5);
    const TOO_SHORT: Duration = Duration::from_millis(4_999);

    fn rng() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    fn closed(code: u16) -> DisconnectReason {
        DisconnectReason::Closed(CloseCode(code), String::new())
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
    fn after_4200_the_first_attempts_of_many_clients_are_spread_and_soon() {
        let (policy, mut rng) = (Reconnect::default(), rng());
        let delays: Vec<_> = (0..200)
            .map(|_| match Attempts::default().next(&policy, &closed(4200), LASTED, &mut rng) {
                Next::Retry(1, delay) => delay,
                next => panic!("{next:?}"),
            })
            .collect();
        let limit = policy.backoff.limit(1);
        assert!(limit <= Duration::from_millis(500) && delays.iter().all(|delay| *delay <= limit));
        for quarter in 0..4 {
            let quarter = limit / 4 * quarter..limit / 4 * (quarter + 1);
            assert!(delays.iter().any(|delay| quarter.contains(delay)), "{quarter:?}");
        }
    }

    #[test]
    fn after_4100_the_client_waits_at_least_a_second() {
        let (policy, mut rng) = (Reconnect::default(), rng());
        for _ in 0..50 {
            let reason = closed(4100);
            let next = Attempts::default().next(&policy, &reason, TOO_SHORT, &mut rng);
            assert!(matches!(next, Next::Retry(1, delay) if delay >= Duration::from_secs(1)), "{next:?}");
        }
    }

    #[test]
    fn the_client_stops_after_codes_that_refuse() {
        let (policy, mut rng) = (Reconnect::default(), rng());
        for code in [4000, 4001, 4009, 4099, 4300, 4999] {
            let next = Attempts::default().next(&policy, &closed(code), LASTED, &mut rng);
            assert_eq!(next, Next::Stop, "{code}");
        }
    }

    #[test]
    fn a_connection_without_a_pong_is_replaced_at_once_but_only_once_until_a_connection_has_lasted() {
        let (policy, mut rng, mut attempts) = (Reconnect::default(), rng(), Attempts::default());
        let mut next = |lasted| attempts.next(&policy, &DisconnectReason::PongTimeout, lasted, &mut rng);
        assert_eq!(next(LASTED), Next::Retry(1, Duration::ZERO));
        for attempt in 2..5 {
            let Next::Retry(number, delay) = next(TOO_SHORT) else { panic!() };
            assert_eq!(number, attempt);
            assert_ne!(delay, Duration::ZERO);
        }
        assert_eq!(next(LASTED), Next::Retry(1, Duration::ZERO));
    }
}
