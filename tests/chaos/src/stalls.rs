use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// How often this process checks that it runs.
const TICK: Duration = Duration::from_millis(50);
/// By how much a tick may be late.
const LATE: Duration = Duration::from_millis(250);

/// Records the times in which this process did not run, because the machine was too busy. What
/// others did in those times says nothing about them.
pub(crate) struct Stalls {
    stalls: Arc<Mutex<Vec<(Instant, Instant)>>>,
    watching: AbortHandle,
}

impl Stalls {
    pub(crate) fn watch() -> Self {
        let stalls: Arc<Mutex<Vec<_>>> = Arc::default();
        let shared = stalls.clone();
        let watching = tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                sleep(TICK).await;
                if begun.elapsed() > TICK + LATE {
                    shared.lock().unwrap_or_else(PoisonError::into_inner).push((begun, Instant::now()));
                }
            }
        });
        Self { stalls, watching: watching.abort_handle() }
    }

    pub(crate) fn so_far(&self) -> Vec<(Instant, Instant)> {
        self.stalls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
