use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The period of the limit.
const WINDOW: Duration = Duration::from_secs(1);

/// Limits events to a number in any second; `None` is no limit.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    limit: Option<usize>,
    recent: VecDeque<Instant>,
}

impl RateLimiter {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self { limit, recent: VecDeque::new() }
    }

    /// Counts one more event, and returns whether the limit allows it.
    pub(crate) fn try_acquire(&mut self) -> bool {
        let Some(limit) = self.limit else { return true };
        while self.recent.front().is_some_and(|then| then.elapsed() >= WINDOW) {
            self.recent.pop_front();
        }
        if self.recent.len() >= limit {
            return false;
        }
        self.recent.push_back(Instant::now());
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn any_period_of_a_second_has_at_most_the_limit() {
        let mut limiter = RateLimiter::new(Some(10));
        for _ in 0..5 {
            assert!(limiter.try_acquire());
        }
        advance(Duration::from_millis(900)).await;
        for _ in 0..5 {
            assert!(limiter.try_acquire());
        }
        assert!(!limiter.try_acquire());
        advance(Duration::from_millis(100)).await;
        for _ in 0..5 {
            assert!(limiter.try_acquire());
        }
        assert!(!limiter.try_acquire());
        advance(WINDOW).await;
        assert!(limiter.try_acquire());
    }

    #[test]
    fn without_a_limit_everything_is_allowed() {
        let mut limiter = RateLimiter::new(None);
        assert!((0..1_000).all(|_| limiter.try_acquire()));
    }
}
