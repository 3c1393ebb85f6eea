use std::time::Duration;

/// The waits between attempts: exponential backoff with full jitter.
///
/// The limit doubles with each attempt, from [`base`](Self::new) up to [`cap`](Self::new). The wait
/// is a random part of the limit, so that many clients do not come back together.
///
/// ```
/// use std::time::Duration;
/// use pusher_protocol::Backoff;
///
/// let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(10));
/// let fraction = 0.5; // a random number from 0 to 1
/// assert_eq!(backoff.delay(1, fraction), Duration::from_millis(250));
/// assert_eq!(backoff.delay(2, fraction), Duration::from_millis(500));
/// assert_eq!(backoff.delay(100, fraction), Duration::from_secs(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// Creates a backoff: `base` is the limit of the first wait, `cap` the limit of every wait.
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// Returns the longest wait after `attempt` failed attempts in a row. The first is 1; 0 counts
    /// as 1.
    pub fn limit(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1);
        self.base.saturating_mul(2_u32.saturating_pow(doublings)).min(self.cap)
    }

    /// Returns the wait after `attempt` failed attempts in a row: this fraction of the
    /// [`limit`](Self::limit). The caller draws the fraction at random from 0 to 1; numbers outside
    /// that range count as its nearest end, and NaN as 1.
    pub fn delay(&self, attempt: u32, fraction: f64) -> Duration {
        let limit = self.limit(attempt);
        let seconds = limit.as_secs_f64() * fraction.clamp(0.0, 1.0);
        Duration::try_from_secs_f64(seconds).map_or(limit, |delay| delay.min(limit))
    }
}

impl Default for Backoff {
    /// From 0.5 s up to 10 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_doubles_up_to_the_cap() {
        let backoff = Backoff::default();
        for (attempt, limit) in
            [(0, 500), (1, 500), (2, 1_000), (3, 2_000), (5, 8_000), (6, 10_000), (u32::MAX, 10_000)]
        {
            assert_eq!(backoff.limit(attempt), Duration::from_millis(limit), "{attempt}");
        }
    }

    #[test]
    fn the_delay_is_a_fraction_of_the_limit() {
        let backoff = Backoff::default();
        for (fraction, delay) in [(0.0, 0), (0.25, 500), (1.0, 2_000), (-1.0, 0), (2.0, 2_000)] {
            assert_eq!(backoff.delay(3, fraction), Duration::from_millis(delay), "{fraction}");
        }
        assert_eq!(backoff.delay(3, f64::NAN), Duration::from_secs(2));
    }

    #[test]
    fn no_duration_overflows() {
        let backoff = Backoff::new(Duration::MAX, Duration::MAX);
        assert_eq!(backoff.delay(u32::MAX, 1.0), Duration::MAX);
        assert!(backoff.delay(2, 0.5) < Duration::MAX);
        let zero = Backoff::new(Duration::ZERO, Duration::MAX);
        assert_eq!(zero.delay(u32::MAX, 1.0), Duration::ZERO);
    }

    #[test]
    fn the_cap_also_limits_the_base() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::new(second * 9, second).delay(1, 1.0), second);
    }
}
