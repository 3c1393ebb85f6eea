use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The time that the limit is for.
const WINDOW: Duration = Duration::from_secs(1);

/// Allows so many in any second; without a limit, all.
#[derive(Debug)]
pub(crate) struct Rate {
    limit: Option<usize>,
    recent: VecDeque<Instant>,
}

impl Rate {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self { limit, recent: VecDeque::new() }
    }

    /// Whether one more may be, now; counts it if so.
    pub(crate) fn take(&mut self) -> bool {
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
    async fn no_second_has_more_than_the_limit_wherever_it_begins() {
        let mut rate = Rate::new(Some(10));
        for _ in 0..5 {
            assert!(rate.take());
        }
        advance(Duration::from_millis(900)).await;
        for _ in 0..5 {
            assert!(rate.take());
        }
        assert!(!rate.take());
        advance(Duration::from_millis(100)).await;
        for _ in 0..5 {
            assert!(rate.take());
        }
        assert!(!rate.take());
        advance(WINDOW).await;
        assert!(rate.take());
    }

    #[test]
    fn without_a_limit_all_may_be() {
        let mut rate = Rate::new(None);
        assert!((0..1_000).all(|_| rate.take()));
    }
}
