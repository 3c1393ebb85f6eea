use std::time::Duration;

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
    base: Duration,
    cap: Duration,
}

impl Retry {
    /// Every call is sent once.
    pub const fn never() -> Self {
        Self { attempts: 1, base: Duration::ZERO, cap: Duration::ZERO }
    }

    /// How often a call is sent at most, the first time counted; at least once.
    pub const fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The limit of the first wait.
    pub const fn base(self, base: Duration) -> Self {
        Self { base, ..self }
    }

    /// The limit that no wait exceeds.
    pub const fn cap(self, cap: Duration) -> Self {
        Self { cap, ..self }
    }

    /// The wait after the failure of attempt `attempt` (from 1); none when it was the last.
    pub(super) fn wait_after(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| self.limit(attempt).mul_f64(rand::random_range(0.0..=1.0)))
    }

    fn limit(&self, attempt: u32) -> Duration {
        let doubled =
            2_u32.checked_pow(attempt.saturating_sub(1)).and_then(|factor| self.base.checked_mul(factor));
        doubled.map_or(self.cap, |limit| limit.min(self.cap))
    }
}

impl Default for Retry {
    /// Three times, waiting up to 0.2 s and up to 0.4 s between.
    fn default() -> Self {
        Self { attempts: 3, base: Duration::from_millis(200), cap: Duration::from_secs(2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_end_with_the_attempts() {
        let retry = Retry::default().attempts(6);
        let limits: Vec<u128> = (1..=6).map(|attempt| retry.limit(attempt).as_millis()).collect();
        assert_eq!(limits, [200, 400, 800, 1600, 2000, 2000]);
        for attempt in 1..6 {
            assert!(retry.wait_after(attempt).unwrap() <= retry.limit(attempt));
        }
        assert_eq!(retry.wait_after(6), None);
        assert_eq!(Retry::never().wait_after(1), None);
        assert_eq!(Retry::default().attempts(0).wait_after(1), None);
        assert_eq!(retry.limit(u32::MAX), Duration::from_secs(2));
    }
}
