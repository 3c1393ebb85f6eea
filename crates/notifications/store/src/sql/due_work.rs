use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::apart;
use super::failure::Failure;
use crate::rules::rounds::Rounds;
use crate::{Advanced, StoreError, StoreErrorKind};

/// How long a notification is set aside after its first failure. It doubles with each further one.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest time for which a notification is set aside.
const LONGEST_REST: Duration = Duration::from_secs(300);
/// How many failures of unknown origin, such as time-outs, one step blames on notifications. It
/// suffices to find one among a thousand, and bounds the time that a step takes.
const BLAMED: usize = 16;

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
    /// If a step fails for a reason that may lie in one of them, this one is set aside for some
    /// time, and the others go on. `works` returns whether the database works: then it lies in one
    /// of them.
    pub(crate) async fn step<T: Clone, F, W>(
        &self,
        due: Vec<T>,
        key: fn(&T) -> i64,
        step: impl Fn(Vec<T>) -> F,
        works: impl Fn() -> W,
    ) -> Result<Advanced, Failure>
    where
        F: Future<Output = Result<Advanced, Failure>>,
        W: Future<Output = bool>,
    {
        let now = Instant::now();
        let due: Vec<T> = due.into_iter().filter(|due| !self.is_set_aside(key(due), now)).collect();
        if due.is_empty() {
            return Ok(Advanced::default());
        }
        let keys: Vec<i64> = due.iter().map(key).collect();
        let blamed = AtomicUsize::new(0);
        let step = |part: Vec<T>| {
            let mut done = vec![Advanced::default(); part.len().saturating_sub(1)];
            let (step, works, blamed) = (step(part), &works, &blamed);
            async move {
                match step.await {
                    Ok(last) => done.push(last),
                    Err(failure) => {
                        let may_blame = !failure.is_particular()
                            && !matches!(failure.kind(), StoreErrorKind::DiskFull | StoreErrorKind::ReadOnly)
                            && blamed.fetch_add(1, Ordering::Relaxed) < BLAMED;
                        let is_particular = failure.is_particular() || (may_blame && works().await);
                        return Err(failure.particular(is_particular));
                    }
                }
                Ok(done)
            }
        };
        let (mut sum, mut outage) = (Advanced::default(), None);
        for (key, done) in keys.into_iter().zip(apart::run(vec![due], step).await) {
            match done {
                Ok(done) => {
                    sum += done;
                    self.failed().remove(&key);
                }
                Err(failure) if failure.is_particular() => self.set_aside(key, now, failure.into()),
                Err(failure) => outage = Some(failure),
            }
        }
        with_outage(sum, outage)
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
        // What has not failed again for so long is done.
        failed.retain(|_, failed| failed.until + LONGEST_REST > now);
        let rest = failed.get(&key).map_or(FIRST_REST, |failed| failed.rest.saturating_mul(2));
        let rest = rest.min(LONGEST_REST);
        failed.insert(key, Failed { until: now + rest, rest });
    }
}

/// Adds what two kinds of due work did.
///
/// If one failed, what the other did still counts; the next call meets the failure again.
pub(crate) fn both<E>(first: Result<Advanced, E>, second: Result<Advanced, E>) -> Result<Advanced, E> {
    match (first, second) {
        (Ok(mut sum), Ok(done)) => {
            sum += done;
            Ok(sum)
        }
        (Ok(done), Err(error)) | (Err(error), Ok(done)) => with_outage(done, Some(error)),
        (Err(error), Err(_)) => Err(error),
    }
}

/// Returns what was done before an outage, or the outage if nothing was.
fn with_outage<E>(done: Advanced, outage: Option<E>) -> Result<Advanced, E> {
    match outage {
        None => Ok(done),
        Some(error) if done.delivered + done.withdrawn + done.expired == 0 => Err(error),
        Some(_) => Ok(Advanced { has_more: true, ..done }),
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
            async || false,
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
        let fail = |_| async { Err(Failure::unavailable("down")) };
        let down = work.step(vec![1, 2], |key| *key, fail, async || false).await;
        assert!(down.is_err());
        assert_eq!(step(&work, 9).await.1, 1);
    }

    /// Takes a step in which these notifications time out, and returns its outcome.
    async fn step_beside(work: &DueWork, slow: &[i64], works: bool) -> Result<Advanced, Failure> {
        let step = |part: Vec<i64>| async move {
            if part.iter().any(|key| slow.contains(key)) {
                return Err(Failure::unavailable("not in time"));
            }
            Ok(Advanced { delivered: part.len() as u64, ..Advanced::default() })
        };
        work.step((0..1_000).collect(), |key| *key, step, async || works).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_notification_that_times_out_is_set_aside_if_the_database_works() {
        let work = DueWork::default();
        assert!(step_beside(&work, &[7], false).await.is_err());
        assert_eq!(step_beside(&work, &[7], true).await.unwrap().delivered, 999);
        assert_eq!(step_beside(&work, &[7], false).await.unwrap().delivered, 999, "it is set aside");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_done_before_an_outage_counts() {
        let done = step_beside(&DueWork::default(), &[999], true).await.unwrap();
        assert_eq!(done.delivered, 999);
        let work = DueWork::default();
        let slow: Vec<i64> = (500..1_000).collect();
        let done = step_beside(&work, &slow, true).await.unwrap();
        assert_eq!((done.delivered, done.has_more), (500, true), "the others are tried by the next call");
        let failure = || Err(Failure::unavailable("down"));
        assert_eq!(both(failure(), Ok(done)).unwrap(), done);
        assert!(both(failure(), Ok(Advanced::default())).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn notifications_that_failed_long_ago_are_not_kept() {
        let work = DueWork::default();
        let _ = step(&work, 5).await;
        tokio::time::advance(LONGEST_REST * 2).await;
        let _ = step(&work, 6).await;
        assert_eq!(work.failed().keys().collect::<Vec<_>>(), [&6]);
    }
}
