use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use internal_notifications_models::Receipt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use super::database::{Database, out_of_time};
use super::push::{Pushed, SharedPush};
use crate::StoreError;
use crate::rules::push::NewPush;
use crate::sql::apart;
use crate::sql::failure::Failure;

/// The most pushes in each lane. Further callers wait until there is room.
const ROOM: usize = 1024;
/// The most pushes that share a transaction, and the most rows of all of them together.
const BATCH: (usize, usize) = (256, 5_000);
/// A push of more rows is large: it does not share a transaction with small ones.
const LARGE: usize = 500;

/// The pushes that wait for a transaction. Those that wait together share one.
///
/// They wait in three lanes, each with its own transactions, so that none waits for something
/// slower than itself. Each lane has up to a third of the transactions that may write.
pub(super) struct PushQueue {
    database: Arc<Database>,
    lanes: Mutex<Lanes>,
}

struct Lanes {
    /// Pushes to few inboxes. Their transactions do not wait for locked inboxes, but only while
    /// another transaction stores the same id or idempotency key, or creates the same inbox.
    small: Lane,
    /// Pushes to many inboxes.
    large: Lane,
    /// Small pushes that found an inbox locked. A transaction that waits for inboxes has only
    /// pushes to these inboxes.
    blocked: Lane,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LaneName {
    Small,
    Large,
    Blocked,
}

struct Lane {
    waiting: VecDeque<Waiting>,
    /// The places of pushes that wait or run.
    room: Arc<Semaphore>,
    /// The number of tasks that run transactions, at most `max_running`.
    running: usize,
    max_running: usize,
}

struct Waiting {
    push: Arc<NewPush>,
    begun: Instant,
    deadline: Instant,
    caller: oneshot::Sender<Result<Receipt, StoreError>>,
    /// Its place in the lane.
    _room: OwnedSemaphorePermit,
}

impl PushQueue {
    pub(super) fn new(database: Arc<Database>) -> Self {
        let writers = database.options.writers();
        let third = (writers / 3).max(1);
        let room = || Arc::new(Semaphore::new(ROOM));
        let lane = |max_running| Lane { waiting: VecDeque::new(), room: room(), running: 0, max_running };
        let small = lane(writers.saturating_sub(2 * third).max(1));
        let lanes = Mutex::new(Lanes { small, large: lane(third), blocked: lane(third) });
        Self { database, lanes }
    }

    /// Executes a push, even if the caller no longer waits.
    pub(super) async fn push(self: &Arc<Self>, push: NewPush) -> Result<Receipt, StoreError> {
        self.database.check_open()?;
        let (begun, deadline) = (Instant::now(), self.database.deadline());
        let name = if push.weight() > LARGE { LaneName::Large } else { LaneName::Small };
        let patience = self.database.options.acquire_timeout.min(self.database.options.call_timeout);
        let room = timeout(patience, self.room(name).acquire_owned()).await;
        let room = room
            .map_err(|_| Failure::unavailable("too many calls wait to write"))?
            .map_err(|_| Failure::unavailable("the store is closed"))?;
        let (caller, answer) = oneshot::channel();
        self.add(name, Waiting { push: Arc::new(push), begun, deadline, caller, _room: room });
        let answer = timeout_at(deadline, answer).await.map_err(|_| out_of_time())?;
        answer.map_err(|_| Failure::unavailable("the server is stopping"))?
    }

    fn add(self: &Arc<Self>, name: LaneName, waiting: Waiting) {
        let mut lanes = self.lanes();
        let lane = lanes.lane(name);
        lane.waiting.push_back(waiting);
        if lane.running < lane.max_running {
            lane.running += 1;
            drop(self.database.spawn(self.clone().run(name)));
        }
    }

    /// Lets a push wait for a locked inbox, if there is room for it.
    fn add_blocked(self: &Arc<Self>, waiting: Waiting) {
        // It gives up its place among the small ones, which may overtake it.
        match self.room(LaneName::Blocked).try_acquire_owned() {
            Ok(room) => self.add(LaneName::Blocked, Waiting { _room: room, ..waiting }),
            Err(_) => waiting.answer(Err(inbox_is_locked().into())),
        }
    }

    /// Runs transactions until nothing waits in the lane.
    async fn run(self: Arc<Self>, name: LaneName) {
        while !self.ended(name) {
            let begun = Instant::now();
            match self.database.permit().await {
                Ok(_permit) => {
                    let batch = self.lanes().lane(name).take(name == LaneName::Blocked);
                    // In a task of its own, so that a panic does not end this one.
                    drop(tokio::spawn(self.clone().serve(name, batch)).await);
                }
                // Pushes that came later than `begun` may still get a permit in time.
                Err(failure) => self.lanes().lane(name).fail_older(begun, &failure),
            }
        }
    }

    /// If nothing waits in the lane, counts the caller's task as ended and returns true.
    fn ended(&self, name: LaneName) -> bool {
        let mut lanes = self.lanes();
        let lane = lanes.lane(name);
        let is_empty = lane.waiting.is_empty();
        lane.running = lane.running.saturating_sub(usize::from(is_empty));
        is_empty
    }

    async fn serve(self: Arc<Self>, name: LaneName, batch: Vec<Waiting>) {
        let now = Instant::now();
        let (batch, late): (Vec<_>, Vec<_>) = batch.into_iter().partition(|waiting| waiting.deadline > now);
        late.into_iter().for_each(|waiting| waiting.answer(Err(out_of_time().into())));
        // The latest, so that no push fails because it shares a transaction with an older one.
        let Some(deadline) = batch.iter().map(|waiting| waiting.deadline).max() else { return };
        let pushes = batch.iter().map(|waiting| waiting.push.clone()).collect();
        let waits = name != LaneName::Small;
        let database = &self.database;
        let answers = apart::run(vec![pushes], |pushes| run(database, deadline, pushes, waits)).await;
        for (waiting, answer) in batch.into_iter().zip(answers) {
            match answer {
                Ok(Pushed::Answered(answer)) => waiting.answer(answer),
                Ok(Pushed::Busy) => self.add_blocked(waiting),
                Err(failure) => waiting.answer(Err(failure.into())),
            }
        }
    }

    /// Executes pushes in order, in as few transactions as possible, even if the caller no longer
    /// waits.
    pub(super) async fn push_all(self: &Arc<Self>, pushes: Vec<NewPush>) -> Vec<Result<Receipt, StoreError>> {
        let count = pushes.len();
        if let Err(closed) = self.database.check_open() {
            return std::iter::repeat_n(closed.into(), count).map(Err).collect();
        }
        let parts = apart::split(pushes.into_iter().map(Arc::new), BATCH, |push| push.weight());
        let this = self.clone();
        let run = async move {
            apart::run(parts, |pushes| async {
                let _permit = this.database.permit().await?;
                run(&this.database, this.database.deadline(), pushes, true).await
            })
            .await
        };
        let answers = self.database.spawn(run).await.unwrap_or_else(|_| {
            std::iter::repeat_n(Failure::unavailable("the server is stopping"), count).map(Err).collect()
        });
        answers.into_iter().map(|answer| answer?.into_answer()).collect()
    }

    fn room(&self, name: LaneName) -> Arc<Semaphore> {
        self.lanes().lane(name).room.clone()
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn inbox_is_locked() -> Failure {
    Failure::unavailable("an inbox is locked").particular(true)
}

async fn run(
    database: &Database,
    deadline: Instant,
    pushes: Vec<Arc<NewPush>>,
    waits: bool,
) -> Result<Vec<Pushed>, Failure> {
    Ok(database.write_until(deadline, SharedPush { pushes, waits }).await??)
}

impl Lanes {
    fn lane(&mut self, name: LaneName) -> &mut Lane {
        match name {
            LaneName::Small => &mut self.small,
            LaneName::Large => &mut self.large,
            LaneName::Blocked => &mut self.blocked,
        }
    }
}

impl Lane {
    /// Fails the pushes that began to wait before this time.
    fn fail_older(&mut self, than: Instant, failure: &Failure) {
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting.begun <= than {
                true => waiting.answer(Err(failure.clone().into())),
                false => self.waiting.push_back(waiting),
            }
        }
    }

    /// Takes the oldest push and those that may share its transaction.
    fn take(&mut self, same_recipients: bool) -> Vec<Waiting> {
        let Some(first) = self.waiting.pop_front() else { return Vec::new() };
        let (count, weight) = BATCH;
        let mut sum = first.push.weight();
        let mut batch = vec![first];
        for waiting in std::mem::take(&mut self.waiting) {
            let weighs = waiting.push.weight();
            let may_join = !same_recipients
                || batch.first().is_some_and(|first| first.push.user_ids == waiting.push.user_ids);
            if may_join && batch.len() < count && sum + weighs <= weight {
                sum += weighs;
                batch.push(waiting);
            } else {
                self.waiting.push_back(waiting);
            }
        }
        batch
    }
}

impl Waiting {
    fn answer(self, answer: Result<Receipt, StoreError>) {
        // The caller may no longer wait; its push took effect anyway.
        let _ = self.caller.send(answer);
    }
}

impl Pushed {
    fn into_answer(self) -> Result<Receipt, StoreError> {
        match self {
            Self::Answered(answer) => answer,
            Self::Busy => Err(inbox_is_locked().into()),
        }
    }
}
