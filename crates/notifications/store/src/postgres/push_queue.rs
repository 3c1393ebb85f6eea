use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use internal_notifications_models::Receipt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

use super::database::Database;
use super::push::{Pushed, SharedPush};
use crate::StoreError;
use crate::rules::push::NewPush;
use crate::sql::apart;
use crate::sql::failure::Failure;

/// The most pushes that wait for a transaction. Further callers wait until there is room.
const ROOM: usize = 1024;
/// The most pushes of one transaction, and about the most rows of pushes that share one.
const BATCH: (usize, usize) = (256, 5_000);
/// A push of more rows is large: it does not share a transaction with small ones.
const LARGE: usize = 500;

/// The pushes that wait for a transaction. Those that wait together share one.
///
/// They wait in three lanes, each with its own transactions, so that none waits for something
/// slower than itself. Each lane has up to a third of the transactions that may write.
pub(super) struct PushQueue {
    database: Arc<Database>,
    room: Arc<Semaphore>,
    lanes: Mutex<Lanes>,
}

struct Lanes {
    /// Pushes to few inboxes. Their transactions do not wait for inboxes that are locked.
    small: Lane,
    /// Pushes to many inboxes.
    large: Lane,
    /// Small pushes that found an inbox locked. A transaction that waits for inboxes has only
    /// pushes to these inboxes.
    blocked: Lane,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Small,
    Large,
    Blocked,
}

struct Lane {
    waiting: VecDeque<Waiting>,
    /// The number of tasks that run transactions.
    running: usize,
    most: usize,
}

struct Waiting {
    push: Arc<NewPush>,
    deadline: Instant,
    caller: oneshot::Sender<Result<Receipt, StoreError>>,
    /// Its place in the queue.
    _room: OwnedSemaphorePermit,
}

impl PushQueue {
    pub(super) fn new(database: Arc<Database>) -> Self {
        let writers = database.options.writers();
        let third = (writers / 3).max(1);
        let lane = |most| Lane { waiting: VecDeque::new(), running: 0, most };
        let small = lane(writers.saturating_sub(2 * third).max(1));
        let lanes = Mutex::new(Lanes { small, large: lane(third), blocked: lane(third) });
        Self { database, room: Arc::new(Semaphore::new(ROOM)), lanes }
    }

    /// Executes a push, even if the caller no longer waits.
    pub(super) async fn push(self: &Arc<Self>, push: NewPush) -> Result<Receipt, StoreError> {
        let deadline = self.database.deadline();
        let room = timeout(self.database.options.acquire_timeout, self.room.clone().acquire_owned()).await;
        let room = room
            .map_err(|_| Failure::unavailable("too many calls wait to write"))?
            .map_err(|_| Failure::unavailable("the store is closed"))?;
        let name = if push.weight() > LARGE { Name::Large } else { Name::Small };
        let (caller, answer) = oneshot::channel();
        self.add(name, Waiting { push: Arc::new(push), deadline, caller, _room: room });
        answer.await.map_err(|_| Failure::unavailable("the server is stopping"))?
    }

    fn add(self: &Arc<Self>, name: Name, waiting: Waiting) {
        let mut lanes = self.lanes();
        let lane = lanes.lane(name);
        lane.waiting.push_back(waiting);
        if lane.running < lane.most {
            lane.running += 1;
            tokio::spawn(self.clone().run(name));
        }
    }

    /// Runs transactions until nothing waits in the lane.
    async fn run(self: Arc<Self>, name: Name) {
        loop {
            let permit = self.database.permit().await;
            let batch = self.take(name);
            if batch.is_empty() {
                return;
            }
            match permit {
                // Its own task contains a panic.
                Ok(_permit) => drop(tokio::spawn(self.clone().serve(name, batch)).await),
                Err(failure) => {
                    batch.into_iter().for_each(|waiting| waiting.answer(Err(failure.clone().into())));
                }
            }
        }
    }

    /// Returns the pushes of the next transaction. If there are none, the caller's task ends.
    fn take(&self, name: Name) -> Vec<Waiting> {
        let mut lanes = self.lanes();
        let lane = lanes.lane(name);
        let batch = lane.take(name == Name::Blocked);
        if batch.is_empty() {
            lane.running = lane.running.saturating_sub(1);
        }
        batch
    }

    async fn serve(self: Arc<Self>, name: Name, batch: Vec<Waiting>) {
        let Some(deadline) = batch.iter().map(|waiting| waiting.deadline).min() else { return };
        let pushes = batch.iter().map(|waiting| waiting.push.clone()).collect();
        let waits = name != Name::Small;
        let database = &self.database;
        let answers = apart::run(vec![pushes], |pushes| run(database, deadline, pushes, waits)).await;
        for (waiting, answer) in batch.into_iter().zip(answers) {
            match answer {
                Ok(Pushed::Answered(answer)) => waiting.answer(answer),
                Ok(Pushed::Busy) => self.add(Name::Blocked, waiting),
                Err(failure) => waiting.answer(Err(failure.into())),
            }
        }
    }

    /// Executes pushes in order, in as few transactions as possible, even if the caller no longer
    /// waits.
    pub(super) async fn push_all(self: &Arc<Self>, pushes: Vec<NewPush>) -> Vec<Result<Receipt, StoreError>> {
        let count = pushes.len();
        let parts = apart::split(pushes.into_iter().map(Arc::new), BATCH, |push| push.weight());
        let this = self.clone();
        let run = async move {
            apart::run(parts, |pushes| async {
                let _permit = this.database.permit().await?;
                run(&this.database, this.database.deadline(), pushes, true).await
            })
            .await
        };
        let answers = tokio::spawn(run).await.unwrap_or_else(|_| {
            std::iter::repeat_n(Failure::unavailable("the server is stopping"), count).map(Err).collect()
        });
        answers.into_iter().map(|answer| answer?.into_answer()).collect()
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    fn lane(&mut self, name: Name) -> &mut Lane {
        match name {
            Name::Small => &mut self.small,
            Name::Large => &mut self.large,
            Name::Blocked => &mut self.blocked,
        }
    }
}

impl Lane {
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
            Self::Busy => Err(Failure::unavailable("an inbox is locked").into()),
        }
    }
}
