use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

use crate::violation::{CheckResult, Failure};

/// Waits for a future up to a time limit. `what` describes its completion, in the past tense.
pub(crate) async fn in_time<T>(
    limit: Duration,
    what: &str,
    future: impl Future<Output = T>,
) -> CheckResult<T> {
    let late = |_| Failure(format!("it did not happen within {limit:?} that {what}"));
    timeout(limit, future).await.map_err(late)
}

/// Polls a future at most `polls` times, then drops it. Returns its output if it completed.
pub(crate) async fn interrupted<T>(
    limit: Duration,
    polls: usize,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    let polled = poll_fn(|context| match (future.as_mut().poll(context), left) {
        (Poll::Ready(output), _) => Poll::Ready(Some(output)),
        (Poll::Pending, 0 | 1) => Poll::Ready(None),
        (Poll::Pending, _) => {
            left -= 1;
            Poll::Pending
        }
    });
    timeout(limit, polled).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_future_is_dropped_after_its_polls() {
        let mut polled = 0;
        let future = poll_fn(|context| {
            polled += 1;
            context.waker().wake_by_ref();
            if polled == 3 { Poll::Ready(polled) } else { Poll::Pending }
        });
        let mut future = pin!(future);
        let limit = Duration::from_secs(10);
        assert_eq!(interrupted(limit, 2, future.as_mut()).await, None);
        assert_eq!(interrupted(limit, 2, future).await, Some(3));
    }
}
