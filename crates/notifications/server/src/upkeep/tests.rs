use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, Receipt, Retraction,
    Timestamp, UserId, WriteAnswer,
};
use tokio::time::Instant;

use super::*;
use crate::Clock;
use crate::store::{
    Advanced, CommitListener, PublishLimits, Push, StoreError, StoreErrorKind, StoreTime, Sweep, Swept,
    Unpublished, Write,
};

/// A store that answers as planned, and records when it was called.
struct Script {
    started: Instant,
    advances: Mutex<VecDeque<Result<Advanced, StoreErrorKind>>>,
    sweeps: Mutex<VecDeque<Result<Swept, StoreErrorKind>>>,
    advanced: Mutex<Vec<(u128, Timestamp)>>,
    swept: Mutex<Vec<(u128, Option<String>)>>,
    /// How long each sweep takes.
    takes: Duration,
    /// Whether the next sweep panics.
    panics: AtomicBool,
}

#[async_trait]
impl Store for Script {
    async fn advance(&self, now: Timestamp, _: usize) -> Result<Advanced, StoreError> {
        self.advanced.lock().unwrap().push((self.started.elapsed().as_millis(), now));
        let next = self.advances.lock().unwrap().pop_front();
        next.unwrap_or(Ok(Advanced::default())).map_err(StoreError::new)
    }

    async fn sweep(&self, sweep: Sweep) -> Result<Swept, StoreError> {
        let after = sweep.after.map(|user| user.to_string());
        self.swept.lock().unwrap().push((self.started.elapsed().as_millis(), after));
        assert!(!self.panics.load(Ordering::Relaxed), "planned");
        tokio::time::sleep(self.takes).await;
        let next = self.sweeps.lock().unwrap().pop_front();
        next.unwrap_or(Ok(Swept::default())).map_err(StoreError::new)
    }

    async fn push(&self, _: Push) -> Result<Receipt, StoreError> {
        unreachable!("upkeep pushes nothing")
    }
    async fn push_all(&self, _: Vec<Push>) -> Vec<Result<Receipt, StoreError>> {
        unreachable!()
    }
    async fn write(&self, _: &UserId, _: Write) -> Result<WriteAnswer, StoreError> {
        unreachable!()
    }
    async fn retract(&self, _: &NotificationId, _: Timestamp) -> Result<Retraction, StoreError> {
        unreachable!()
    }
    async fn page(&self, _: &UserId, _: usize, _: Option<u64>) -> Result<InboxPage, StoreError> {
        unreachable!()
    }
    async fn notification(
        &self,
        _: &UserId,
        _: &NotificationId,
    ) -> Result<Option<InboxNotification>, StoreError> {
        unreachable!()
    }
    async fn changes(&self, _: &UserId, _: Position, _: usize) -> Result<ChangesAnswer, StoreError> {
        unreachable!()
    }
    async fn head(&self, _: &UserId) -> Result<Head, StoreError> {
        unreachable!()
    }
    fn is_shared(&self) -> bool {
        false
    }
    fn set_commit_listener(&self, _: Arc<dyn CommitListener>) {
        unreachable!()
    }
    async fn lock_broker(&self) -> Result<(), StoreError> {
        unreachable!()
    }
    async fn unpublished_users(&self, _: usize) -> Result<Vec<UserId>, StoreError> {
        unreachable!()
    }
    async fn claim_unpublished(
        &self,
        _: &[(UserId, u64)],
        _: PublishLimits,
    ) -> Result<Vec<Unpublished>, StoreError> {
        unreachable!()
    }
    async fn mark_published(&self, _: &[(UserId, u64)]) -> Result<Vec<UserId>, StoreError> {
        unreachable!()
    }
    async fn unpublished_age(&self) -> Result<Option<Duration>, StoreError> {
        unreachable!()
    }
    async fn get_or_insert_setting(&self, _: &str, _: String) -> Result<String, StoreError> {
        unreachable!()
    }
    async fn time(&self) -> Result<StoreTime, StoreError> {
        Ok(StoreTime::default())
    }
    async fn record_time(&self, _: Timestamp, _: bool) -> Result<(), StoreError> {
        Ok(())
    }
    async fn ready(&self) -> Result<(), StoreError> {
        unreachable!()
    }
    async fn failed(&self) -> &'static str {
        unreachable!()
    }
    async fn close(&self) {}
}

/// A clock that follows tokio's paused time.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(self.0.elapsed()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

const INTERVAL: Duration = Duration::from_secs(60);

async fn start(
    advances: impl IntoIterator<Item = Result<Advanced, StoreErrorKind>>,
    sweeps: impl IntoIterator<Item = Result<Swept, StoreErrorKind>>,
    takes: Duration,
) -> (Upkeep, Arc<Script>) {
    start_every(INTERVAL, advances, sweeps, takes).await
}

async fn start_every(
    interval: Duration,
    advances: impl IntoIterator<Item = Result<Advanced, StoreErrorKind>>,
    sweeps: impl IntoIterator<Item = Result<Swept, StoreErrorKind>>,
    takes: Duration,
) -> (Upkeep, Arc<Script>) {
    let script = Arc::new(Script {
        started: Instant::now(),
        advances: Mutex::new(advances.into_iter().collect()),
        sweeps: Mutex::new(sweeps.into_iter().collect()),
        advanced: Mutex::default(),
        swept: Mutex::default(),
        takes,
        panics: AtomicBool::new(false),
    });
    let clock = Arc::new(Paused(Instant::now()));
    let clock = Arc::new(ClockGuard::start(script.as_ref(), clock, None).await.unwrap());
    (Upkeep::start(script.clone(), clock, Retention::default(), interval), script)
}

fn delivered(inboxes: u64) -> Result<Advanced, StoreErrorKind> {
    let mut advanced = Advanced::default();
    advanced.delivered = inboxes;
    Ok(advanced)
}

fn up_to(user: &str) -> Result<Swept, StoreErrorKind> {
    let mut swept = Swept::default();
    swept.next = Some(user.parse().unwrap());
    Ok(swept)
}

impl Script {
    fn times(&self) -> Vec<u128> {
        self.advanced.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    fn sweeps(&self) -> Vec<(u128, Option<String>)> {
        self.swept.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn due_work_is_finished_at_once_and_checked_four_times_a_second() {
    let mut withdrawn = Advanced::default();
    withdrawn.withdrawn = 1;
    let (upkeep, script) = start([delivered(1000), Ok(withdrawn), delivered(0)], [], Duration::ZERO).await;
    tokio::time::sleep(Duration::from_millis(999)).await;
    let times = script.times();
    assert_eq!(times.get(..3), Some(&[0, 0, 0][..]), "{times:?}");
    assert_eq!(times.len(), 6, "{times:?}");
    for (at, now) in script.advanced.lock().unwrap().iter() {
        assert_eq!(u128::try_from(now.as_millisecond()).unwrap(), *at, "it uses the clock of the server");
    }
    upkeep.stop(INTERVAL).await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_store_is_called_less_often_until_it_works_again() {
    let down = || Err(StoreErrorKind::Unavailable);
    let (upkeep, script) = start((0..200).map(|_| down()).chain([delivered(1)]), [], Duration::ZERO).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let asked = script.times().len();
    assert!((5..60).contains(&asked), "less often than four times a second: {asked}");
    script.advances.lock().unwrap().clear();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let since = script.times().len() - asked;
    assert!(since > 70, "as often as before once it works: {since}");
    upkeep.stop(INTERVAL).await;
}

#[tokio::test(start_paused = true)]
async fn a_pass_covers_all_inboxes_with_pauses_and_starts_once_per_interval() {
    let takes = Duration::from_millis(100);
    let (upkeep, script) = start([], [up_to("b"), up_to("d"), Ok(Swept::default())], takes).await;
    tokio::time::sleep(INTERVAL * 2 + Duration::from_secs(1)).await;
    let user = |user: &str| Some(user.to_owned());
    let expected = [(60_000, None), (60_200, user("b")), (60_400, user("d")), (120_000, None)];
    assert_eq!(script.sweeps(), expected);
    upkeep.stop(INTERVAL).await;
}

#[tokio::test(start_paused = true)]
async fn a_pass_continues_where_it_failed() {
    let down = Err(StoreErrorKind::Unavailable);
    let (upkeep, script) =
        start([], [up_to("b"), down, up_to("d"), Ok(Swept::default())], Duration::ZERO).await;
    tokio::time::sleep(INTERVAL + Duration::from_secs(20)).await;
    let after: Vec<_> = script.sweeps().into_iter().map(|(_, after)| after.unwrap_or_default()).collect();
    assert_eq!(after, ["", "b", "b", "d"]);
    upkeep.stop(INTERVAL).await;
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_the_current_step_up_to_the_limit() {
    let endless = (0..1_000_000).map(|_| up_to("b"));
    let (upkeep, script) = start([], endless, Duration::from_secs(3)).await;
    tokio::time::sleep(INTERVAL + Duration::from_secs(1)).await;
    let asked = Instant::now();
    upkeep.stop(INTERVAL).await;
    assert_eq!(asked.elapsed(), Duration::from_secs(2), "the step took three seconds");
    assert_eq!(script.sweeps().len(), 1);

    let (upkeep, _) = start([], [], Duration::from_secs(1_000_000)).await;
    tokio::time::sleep(INTERVAL + Duration::from_secs(1)).await;
    let asked = Instant::now();
    upkeep.stop(Duration::from_secs(10)).await;
    assert_eq!(asked.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn dropping_it_stops_it() {
    let (upkeep, script) = start([], [], Duration::ZERO).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(upkeep);
    let asked = script.times().len();
    tokio::time::sleep(INTERVAL * 3).await;
    assert_eq!((script.times().len(), script.sweeps().len()), (asked, 0));
}

#[tokio::test(start_paused = true)]
async fn the_longest_interval_means_never() {
    let (upkeep, script) = start_every(Duration::MAX, [], [], Duration::ZERO).await;
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert!(script.swept.lock().unwrap().is_empty());
    assert!(upkeep.sweeper.ended().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_panics_ends_its_task_and_is_reported() {
    let (upkeep, script) = start([], [], Duration::ZERO).await;
    let mut tasks = Tasks::default();
    upkeep.supervised(&mut tasks);
    let supervisor = tasks.supervise();
    tokio::time::sleep(INTERVAL * 2).await;
    assert!(supervisor.failed().now_or_never().is_none() && supervisor.problem()().is_none());
    script.panics.store(true, Ordering::Relaxed);
    assert_eq!(supervisor.failed().await, "sweeper");
    assert!(supervisor.problem()().is_some());
}

#[tokio::test(start_paused = true)]
async fn tasks_that_are_stopped_are_not_reported() {
    let (upkeep, _) = start([], [], Duration::ZERO).await;
    let mut tasks = Tasks::default();
    upkeep.supervised(&mut tasks);
    let supervisor = tasks.supervise();
    supervisor.stop();
    upkeep.stop(Duration::from_secs(10)).await;
    tokio::time::sleep(INTERVAL).await;
    assert!(supervisor.failed().now_or_never().is_none() && supervisor.problem()().is_none());
}
