use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

use crate::violation::{Broken, Held};

/// What comes of a future, which must come in time. `what` says it as if it had happened.
pub(crate) async fn in_time<T>(patience: Duration, what: &str, future: impl Future<Output = T>) -> Held<T> {
    let late = |_| Broken(format!("it did not happen within {patience:?} that {what}"));
    timeout(patience, future).await.map_err(late)
}

/// Polls a future so many times at most, then drops it.
pub(crate) async fn interrupted<T>(
    patience: Duration,
    polls: usize,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    let polled = poll_fn(|context| match (future.as_mut().poll(context), left) {
        (Poll::Ready(done), _) => Poll::Ready(Some(done)),
        (Poll::Pending, 0 | 1) => Poll::Ready(None),
        (Poll::Pending, _) => {
            left -= 1;
            Poll::Pending
        }
    });
    timeout(patience, polled).await.ok().flatten()
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
        let patience = Duration::from_secs(10);
        assert_eq!(interrupted(patience, 2, future.as_mut()).await, None);
        assert_eq!(interrupted(patience, 2, future).await, Some(3));
    }
}
