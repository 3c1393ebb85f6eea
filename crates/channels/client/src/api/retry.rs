use std::time::Duration;

use pusher_protocol::Backoff;

/// The number of attempts of an HTTP API request, and the waits between them.
///
/// Which failures are retried depends on the request:
///
/// - Queries, and closing a user's connections, are idempotent: they are retried after every
///   temporary failure, including a lost or late response.
/// - An event would be published twice. It is retried only if the server did not process it: there
///   was no connection, or the status was 429 or 503; not after 408, another 5xx, a timeout or a
///   broken connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    attempts: u32,
    backoff: Backoff,
}

impl Retry {
    /// Sends every request once.
    pub const fn never() -> Self {
        Self { attempts: 1, backoff: Backoff::new(Duration::ZERO, Duration::ZERO) }
    }

    /// Sets the number of attempts, including the first; at least one is made.
    pub const fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// Sets the waits between attempts.
    pub const fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// Returns the wait after the failed attempt `attempt` (from 1), or `None` after the last.
    pub(super) fn delay_after(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| self.backoff.delay(attempt, rand::random_range(0.0..=1.0)))
    }
}

impl Default for Retry {
    /// Three attempts, with waits of up to 0.2 s and up to 0.4 s.
    fn default() -> Self {
        Self { attempts: 3, backoff: Backoff::new(Duration::from_millis(200), Duration::from_secs(2)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_wait_after_the_last_attempt() {
        let retry = Retry::default().attempts(6);
        for attempt in 1..6 {
            assert!(retry.delay_after(attempt).unwrap() <= retry.backoff.limit(attempt));
        }
        assert_eq!(retry.backoff.limit(5), Duration::from_secs(2));
        assert_eq!(retry.delay_after(6), None);
        assert_eq!(Retry::never().delay_after(1), None);
        assert_eq!(Retry::default().attempts(0).delay_after(1), None);
    }
}
