use std::time::Duration;

use tokio::time::Instant;

/// Counts actions in fixed windows. A window starts with the first action after the previous one.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    window_start: Option<Instant>,
    count: usize,
}

impl RateLimit {
    /// Counts one more action, unless it exceeds `limit` within `window`, and returns whether it is
    /// allowed.
    pub(super) fn allows(&mut self, limit: usize, window: Duration, now: Instant) -> bool {
        if self.window_start.is_none_or(|start| now.duration_since(start) >= window) {
            *self = Self { window_start: Some(now), count: 0 };
        }
        let is_allowed = self.count < limit;
        self.count += usize::from(is_allowed);
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_allows_as_many_actions_as_the_limit() {
        let (mut rate, start) = (RateLimit::default(), Instant::now());
        let mut at = |millis| rate.allows(10, Duration::from_secs(1), start + Duration::from_millis(millis));
        assert!((0..10).all(&mut at));
        assert!(!at(999));
        assert!((0..10).all(|_| at(1_000)));
        assert!(!at(1_001));
    }
}
