use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::*;

/// A store that counts its checks, each of which takes `takes` and then fails if `fails` is set.
struct Slow {
    checks: AtomicUsize,
    takes: Duration,
    fails: AtomicBool,
}

fn health(takes: Duration) -> (Arc<Slow>, Health) {
    let store = Arc::new(Slow { checks: AtomicUsize::new(0), takes, fails: AtomicBool::new(false) });
    let check = store.clone();
    let ready = move || {
        let store = check.clone();
        async move {
            store.checks.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(store.takes).await;
            match store.fails.load(Ordering::Relaxed) {
                true => Err(StoreError::new(StoreErrorKind::DiskFull)),
                false => Ok(()),
            }
        }
        .boxed()
    };
    (store, Health { ready: Box::new(ready), problems: Mutex::default(), check: Mutex::default() })
}

impl Slow {
    fn checks(&self) -> usize {
        self.checks.load(Ordering::Relaxed)
    }
}

#[tokio::test(start_paused = true)]
async fn callers_at_the_same_time_share_a_check() {
    let (store, health) = health(Duration::from_millis(100));
    let answers = join_all((0..1000).map(|_| health.ready())).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(store.checks(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_store_is_checked_at_most_once_a_second() {
    let (store, health) = health(Duration::ZERO);
    for _ in 0..100 {
        health.ready().await.unwrap();
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    assert_eq!(store.checks(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_remembered_for_a_second_at_most() {
    let (store, health) = health(Duration::ZERO);
    store.fails.store(true, Ordering::Relaxed);
    assert!(
        matches!(health.ready().await, Err(Unready::Store(error)) if error.kind() == StoreErrorKind::DiskFull)
    );
    store.fails.store(false, Ordering::Relaxed);
    health.ready().await.unwrap_err();
    tokio::time::advance(PERIOD).await;
    health.ready().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_store_that_hangs() {
    let (store, health) = health(Duration::from_secs(3600));
    let started = Instant::now();
    join_all((0..1000).map(|_| health.ready()))
        .await
        .into_iter()
        .for_each(|answer| drop(answer.unwrap_err()));
    assert_eq!(started.elapsed(), PATIENCE);
    for _ in 0..1000 {
        health.ready().await.unwrap_err();
    }
    assert_eq!((started.elapsed(), store.checks()), (PATIENCE, 1), "later callers get their answer at once");
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::task::yield_now().await;
    health.ready().await.unwrap_err();
    assert_eq!(store.checks(), 2, "a check that took long is followed by another one");
}

#[tokio::test(start_paused = true)]
async fn a_check_continues_without_its_callers() {
    let (store, health) = health(Duration::from_millis(1500));
    assert!(health.ready().now_or_never().is_none());
    tokio::task::yield_now().await;
    tokio::time::advance(Duration::from_millis(1500)).await;
    tokio::task::yield_now().await;
    health.ready().await.unwrap();
    assert_eq!(store.checks(), 2, "its answer is too old by then");
}

#[tokio::test(start_paused = true)]
async fn a_problem_of_a_part_comes_before_the_store() {
    let (store, health) = health(Duration::ZERO);
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = broken.clone();
    health.watch(|| None);
    health.watch(move || is_broken.load(Ordering::Relaxed).then(|| "it is broken".to_owned()));
    let unready = health.ready().await.unwrap_err();
    assert!(matches!(unready, Unready::Problem(problem) if problem == "it is broken"));
    assert_eq!(store.checks(), 0);
    broken.store(false, Ordering::Relaxed);
    health.ready().await.unwrap();
}
