use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::source::PendingIntent;

/// How long an intent rests.
const DELAYS: pusher_protocol::Backoff =
    pusher_protocol::Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
/// The most intents. Beyond this, further ones hold up those behind them.
const CAPACITY: usize = 4096;

/// The intents that could not be stored, until the next attempt of each. They are not taken
/// meanwhile, so that those behind them are.
#[derive(Debug, Default)]
pub(super) struct Resting(HashMap<i64, Rest>);

#[derive(Debug)]
struct Rest {
    failures: u32,
    until: Instant,
}

impl Resting {
    /// Returns whether no intent has failed that is not stored yet.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the keys of the intents that rest now.
    pub(super) fn keys(&self) -> Vec<i64> {
        let now = Instant::now();
        self.0.iter().filter(|(_, rest)| rest.until > now).map(|(key, _)| *key).collect()
    }

    /// Returns when the next attempt is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.0.values().map(|rest| rest.until).min()
    }

    /// Forgets the intents that are due and were not taken: somebody has deleted them, or others
    /// come first.
    pub(super) fn taken(&mut self, taken: &[PendingIntent]) {
        let now = Instant::now();
        self.0.retain(|key, rest| rest.until > now || taken.iter().any(|intent| intent.key == *key));
    }

    /// Lets an intent that has failed rest. Returns false if there is no room.
    pub(super) fn failed(&mut self, key: i64) -> bool {
        let now = Instant::now();
        if self.0.len() >= CAPACITY && !self.0.contains_key(&key) {
            return false;
        }
        let rest = self.0.entry(key).or_insert(Rest { failures: 0, until: now });
        rest.failures = rest.failures.saturating_add(1);
        rest.until = now + DELAYS.delay(rest.failures, f64::midpoint(1.0, rand::random()));
        true
    }

    /// Forgets an intent that is settled.
    pub(super) fn settled(&mut self, key: i64) {
        self.0.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_intent_rests_longer_after_each_failure_and_is_forgotten_once_it_is_gone() {
        let mut resting = Resting::default();
        for limit in [1, 2, 4, 8, 16, 30, 30] {
            assert!(resting.failed(7));
            assert_eq!(resting.keys(), [7]);
            let wait = resting.next_due().expect("it rests") - Instant::now();
            assert!(wait <= Duration::from_secs(limit) && wait * 2 >= Duration::from_secs(limit), "{wait:?}");
            resting.taken(&[]);
            tokio::time::advance(wait).await;
            assert!(resting.keys().is_empty());
            resting.taken(&[PendingIntent::new(7, Err("unreadable"))]);
            assert!(!resting.is_empty());
        }
        resting.taken(&[PendingIntent::new(8, Err("unreadable"))]);
        assert!(resting.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let mut resting = Resting::default();
        for key in 0..4096 {
            assert!(resting.failed(key));
        }
        assert!(!resting.failed(4096) && resting.failed(7));
        resting.settled(7);
        assert!(resting.failed(4096));
    }
}
