use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::{Instant, timeout_at};

use crate::store::{Store, StoreError, StoreErrorKind};

/// The time between the starts of two checks of the store, which cost a synced write each. Whoever
/// asks in between gets the answer of the last check.
const PERIOD: Duration = Duration::from_secs(1);
/// How long a check may take. After that, the answer is that the store does not answer, at once,
/// until the check has ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the server can do its work, which `/health/ready` reports.
pub(crate) struct Health {
    ready: Box<dyn Fn() -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync>,
    problems: Mutex<Vec<Problem>>,
    /// The last check of the store.
    check: Mutex<Option<Check>>,
}

/// Returns why a part of the server cannot do its work, while that is so.
type Problem = Box<dyn Fn() -> Option<String> + Send + Sync>;

#[derive(Clone)]
struct Check {
    started: Instant,
    answer: Shared<BoxFuture<'static, Result<(), StoreError>>>,
}

/// Why the server is not ready.
#[derive(Debug)]
pub(crate) enum Unready {
    /// A part of it cannot do its work.
    Problem(String),
    /// The store cannot be used.
    Store(StoreError),
}

impl Health {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let ready = move || {
            let store = store.clone();
            async move { store.ready().await }.boxed()
        };
        Self { ready: Box::new(ready), problems: Mutex::default(), check: Mutex::default() }
    }

    /// Asks this function whenever somebody wants to know whether the server is ready. It returns a
    /// sentence while a part of the server cannot do its work, and must not block. Anyone may read
    /// the sentence.
    pub(crate) fn watch(&self, problem: impl Fn() -> Option<String> + Send + Sync + 'static) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(problem));
    }

    /// Checks that every part of the server works, and that the store can be read and written.
    pub(crate) async fn ready(&self) -> Result<(), Unready> {
        if let Some(problem) = self.problem() {
            return Err(Unready::Problem(problem));
        }
        let Check { started, answer } = self.check();
        let answer = timeout_at(started + PATIENCE, answer).await.unwrap_or_else(|_| {
            Err(StoreError::new(StoreErrorKind::Unavailable)
                .with_message("the database does not answer in time"))
        });
        answer.map_err(Unready::Store)
    }

    fn problem(&self) -> Option<String> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.iter().find_map(|problem| problem())
    }

    /// Returns the running check or a recent one, or starts one.
    fn check(&self) -> Check {
        let mut last = self.check.lock().unwrap_or_else(PoisonError::into_inner);
        let current = last.take().filter(Check::is_current);
        last.insert(current.unwrap_or_else(|| Check::start((self.ready)()))).clone()
    }
}

impl Check {
    /// Starts a check in a task of its own, so that it ends even if nobody waits for it any more.
    fn start(ready: BoxFuture<'static, Result<(), StoreError>>) -> Self {
        let answer = tokio::spawn(ready).map(|answer| {
            answer.unwrap_or_else(|error| {
                Err(StoreError::new(StoreErrorKind::Unavailable)
                    .with_message("the check of the database failed")
                    .with_source(error))
            })
        });
        Self { started: Instant::now(), answer: answer.boxed().shared() }
    }

    fn is_current(&self) -> bool {
        // A check that nobody waited for is only known to have ended once it is asked again.
        let has_ended = self.answer.clone().now_or_never().is_some();
        !has_ended || self.started.elapsed() < PERIOD
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("problem", &self.problem()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
