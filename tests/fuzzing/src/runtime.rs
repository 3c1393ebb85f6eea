use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Creates a runtime whose clock moves only when every task waits: the same input, the same run.
pub(crate) fn new() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Waits until every task waits for something.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Lets as many seconds pass as the step says, at most ten minutes.
pub(crate) async fn wait(seconds: &str) {
    let seconds = seconds.trim().parse().unwrap_or(1);
    tokio::time::sleep(Duration::from_secs(u64::min(seconds, 600))).await;
}
