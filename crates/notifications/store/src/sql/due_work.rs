use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::apart;
use super::failure::Failure;
use crate::rules::rounds::Rounds;
use crate::{Advanced, StoreError};

/// How long a notification is set aside after its first failure. It doubles with each further one.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest time for which a notification is set aside.
const LONGEST_REST: Duration = Duration::from_secs(300);

/// One kind of due work: how far it is, and the notifications whose work failed.
#[derive(Debug, Default)]
pub(crate) struct DueWork {
    pub(crate) rounds: Rounds,
    failed: Mutex<HashMap<i64, Failed>>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    until: Instant,
    rest: Duration,
}

impl DueWork {
    /// Takes a step with those of these due notifications that are not set aside. `key` returns the
    /// key of each.
    ///
    /// If a step fails for a reason that may lie in one of them, this one is set aside for some time,
    /// and the others go on.
    pub(crate) async fn step<T: Clone, F>(
        &self,
        due: Vec<T>,
        key: fn(&T) -> i64,
        step: impl Fn(Vec<T>) -> F,
    ) -> Result<Advanced, Failure>
    where
        F: Future<Output = Result<Advanced, Failure>>,
    {
        let now = Instant::now();
        let due: Vec<T> = due.into_iter().filter(|due| !self.is_set_aside(key(due), now)).collect();
        if due.is_empty() {
            return Ok(Advanced::default());
        }
        let keys: Vec<i64> = due.iter().map(key).collect();
        let step = |part: Vec<T>| {
            let mut done = vec![Advanced::default(); part.len().saturating_sub(1)];
            let step = step(part);
            async move {
                done.push(step.await?);
                Ok(done)
            }
        };
        let mut sum = Advanced::default();
        for (key, done) in keys.into_iter().zip(apart::run(vec![due], step).await) {
            match done {
                Ok(done) => {
                    sum += done;
                    self.failed().remove(&key);
                }
                Err(failure) if failure.is_particular() => self.set_aside(key, now, failure.into()),
                Err(failure) => return Err(failure),
            }
        }
        Ok(sum)
    }

    fn failed(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Failed>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_set_aside(&self, key: i64, now: Instant) -> bool {
        self.failed().get(&key).is_some_and(|failed| failed.until > now)
    }

    fn set_aside(&self, key: i64, now: Instant, error: StoreError) {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, notification.key = key, "a due notification failed; the others go on");
        let mut failed = self.failed();
        let rest = failed.get(&key).map_or(FIRST_REST, |failed| failed.rest.saturating_mul(2));
        let rest = rest.min(LONGEST_REST);
        failed.insert(key, Failed { until: now + rest, rest });
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    async fn step(work: &DueWork, bad: i64) -> (Vec<i64>, usize) {
        let (done, steps) = (RefCell::new(Vec::new()), RefCell::new(0));
        let (done_ref, steps_ref) = (&done, &steps);
        let all: Vec<i64> = (0..8).collect();
        work.step(
            all,
            |key| *key,
            |part| async move {
                *steps_ref.borrow_mut() += 1;
                if part.contains(&bad) {
                    return Err(Failure::unavailable("no").particular(true));
                }
                done_ref.borrow_mut().extend(part);
                Ok(Advanced::default())
            },
        )
        .await
        .unwrap();
        (done.into_inner(), steps.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_notification_that_fails_is_set_aside_for_longer_and_longer() {
        let work = DueWork::default();
        let others = vec![0, 1, 2, 3, 4, 6, 7];
        assert_eq!(step(&work, 5).await, (others.clone(), 7));
        for rest in [1, 2, 4] {
            tokio::time::advance(Duration::from_millis(rest * 1_000 - 1)).await;
            assert_eq!(step(&work, 5).await, (others.clone(), 1), "without it");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert_eq!(step(&work, 5).await, (others.clone(), 7), "tried again");
        }
        tokio::time::advance(LONGEST_REST).await;
        assert_eq!(step(&work, 9).await, ((0..8).collect(), 1));
    }

    #[tokio::test]
    async fn an_outage_sets_nothing_aside() {
        let work = DueWork::default();
        let down = work.step(vec![1, 2], |key| *key, |_| async { Err(Failure::unavailable("down")) }).await;
        assert!(down.is_err());
        assert_eq!(step(&work, 9).await.1, 1);
    }
}
