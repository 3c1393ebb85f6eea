//! Checks of a server whose database cannot be written.

use crate::support::server::TIMEOUT;
use black_box_support::{Answer, Caller};

/// Asserts that a request was rejected with this detail, which does not reveal a path.
#[track_caller]
pub(crate) fn assert_unavailable(answer: &Answer, detail: &str) {
    assert_eq!(answer.flaw_as_problem(503), None);
    assert_eq!(answer.json()["detail"], detail, "{answer:?}");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(!text.contains("inbox.db") && !text.contains('/'), "it shows a path: {text}");
}

/// Waits until the server is ready again.
pub(crate) async fn wait_until_ready(caller: &mut Caller) {
    let ready = async { while caller.get("/health/ready").await.status != 200 {} };
    tokio::time::timeout(TIMEOUT, ready).await.expect("it recovers in time");
}
