use std::time::Duration;

use pusher_protocol::Backoff;

/// How often a call of the HTTP API is sent, and how long it waits between. What may be sent again is decided by the call:
///
/// - Queries, and closing a user's connections, do the same however often they come: they are sent again after every failure
///   that may pass, a lost or late answer included.
/// - An event would be published twice. It is sent again only when it was not taken: no connection, 429, or 503; not after
///   408, any other 5xx, a timeout or a connection that broke.
///
/// The waits are a random part of a limit that doubles each time, so that many clients do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    attempts: u32,
    backoff: Backoff,
}

impl Retry {
    /// Every call is sent once.
    pub const fn never() -> Self {
        Self { attempts: 1, backoff: Backoff::new(Duration::ZERO, Duration::ZERO) }
    }

    /// How often a call is sent at most, the first time counted; at least once.
    pub const fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// Sets the waits between attempts.
    pub const fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// The wait after the failure of attempt `attempt` (from 1); none when it was the last.
    pub(super) fn wait_after(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| self.backoff.delay(attempt, rand::random_range(0.0..=1.0)))
    }
}

impl Default for Retry {
    /// Three times, waiting up to 0.2 s and up to 0.4 s between.
    fn default() -> Self {
        Self { attempts: 3, backoff: Backoff::new(Duration::from_millis(200), Duration::from_secs(2)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_end_with_the_attempts() {
        let retry = Retry::default().attempts(6);
        for attempt in 1..6 {
            assert!(retry.wait_after(attempt).unwrap() <= retry.backoff.limit(attempt));
        }
        assert_eq!(retry.backoff.limit(5), Duration::from_secs(2));
        assert_eq!(retry.wait_after(6), None);
        assert_eq!(Retry::never().wait_after(1), None);
        assert_eq!(Retry::default().attempts(0).wait_after(1), None);
    }
}
