use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use black_box_support::{Caller, Http};
use internal_notifications_models::{Timestamp, UserId};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::measure::Times;
use crate::setup::Served;

/// How long something may take before it counts as never.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a condition is checked.
const POLL: Duration = Duration::from_millis(10);

/// Waits until a condition holds, and returns how many seconds that took; infinity if it took too
/// long.
pub(crate) async fn seconds_until(condition: impl AsyncFn() -> bool) -> f64 {
    let started = Instant::now();
    while !condition().await {
        if started.elapsed() > PATIENCE {
            return f64::INFINITY;
        }
        sleep(POLL).await;
    }
    started.elapsed().as_secs_f64()
}

/// Does some work while `bystander` acts again and again, at least once, and returns both results.
pub(crate) async fn beside<T>(
    work: impl Future<Output = T>,
    mut bystander: impl AsyncFnMut(usize) -> Duration,
) -> (T, Times) {
    let is_done = AtomicBool::new(false);
    let work = async {
        let result = work.await;
        is_done.store(true, Ordering::Relaxed);
        result
    };
    let bystanding = async {
        let mut times = Vec::new();
        loop {
            times.push(bystander(times.len()).await);
            if is_done.load(Ordering::Relaxed) {
                return Times::new(times);
            }
        }
    };
    tokio::join!(work, bystanding)
}

/// Pushes to one ordinary user, and returns how long that took.
pub(crate) async fn push(backend: &mut Caller, number: usize) -> Duration {
    let user = format!("bystander-{}", number % 10);
    let started = Instant::now();
    let pushed = backend.push(&[&user], &json!({"content": "A parcel has come"})).await;
    assert!(pushed.unwrap());
    started.elapsed()
}

/// Schedules a notification for one ordinary user, a second ahead, and returns how much later than
/// that it is in the inbox.
pub(crate) async fn lateness(served: &Served, number: usize) -> Duration {
    let user = UserId::new(format!("bystander-{number}")).unwrap();
    let (id, due) = (format!("due-{number}"), Timestamp::now() + Duration::from_secs(1));
    let at = Instant::now() + Duration::from_secs(1);
    let notification = json!({"id": id, "content": "A parcel has come", "send_after": due.to_string()});
    assert!(served.caller().push(&[user.as_str()], &notification).await.unwrap());
    let mut reader = Caller::new(Http::to(served.server.local_addr()), &served.token(&user));
    loop {
        let head: Value = reader.get("/v1/inbox/head").await.json();
        if head["pending"] == 1 {
            return at.elapsed();
        }
        if at.elapsed() > PATIENCE {
            return PATIENCE;
        }
        sleep(POLL).await;
    }
}
