use std::time::Duration;

use tokio::time::Instant;

/// How often something was done in the window that the first time began.
#[derive(Debug, Default)]
pub(super) struct Rate {
    begun: Option<Instant>,
    times: usize,
}

impl Rate {
    /// Counts one time more, if it is not one too many within `window`.
    pub(super) fn allows(&mut self, limit: usize, window: Duration, now: Instant) -> bool {
        if self.begun.is_none_or(|begun| now.duration_since(begun) >= window) {
            *self = Self { begun: Some(now), times: 0 };
        }
        let is_allowed = self.times < limit;
        self.times += usize::from(is_allowed);
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_often_is_allowed_in_a_window() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        let mut at = |millis| rate.allows(10, Duration::from_secs(1), start + Duration::from_millis(millis));
        assert!((0..10).all(&mut at));
        assert!(!at(999));
        assert!((0..10).all(|_| at(1_000)));
        assert!(!at(1_001));
    }
}
