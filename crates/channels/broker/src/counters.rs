use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a broker counts since its start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    messages_in: AtomicU64,
    messages_out: AtomicU64,
    slow_readers: Trouble,
    turned_away: Trouble,
}

impl Counters {
    /// Returns the number of messages from clients, well-formed or not.
    pub(crate) fn messages_in(&self) -> u64 {
        self.messages_in.load(Ordering::Relaxed)
    }

    /// Returns the number of messages whose writing to a client has begun.
    pub(crate) fn messages_out(&self) -> u64 {
        self.messages_out.load(Ordering::Relaxed)
    }

    /// Returns the number of connections closed with 4100 because their client did not read.
    pub(crate) fn slow_readers(&self) -> u64 {
        self.slow_readers.count.load(Ordering::Relaxed)
    }

    /// Returns the number of connections closed with 4100 because there was no room for them.
    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.count.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn count_message_in(&self) {
        self.messages_in.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_messages_out(&self, messages: usize) {
        self.messages_out.fetch_add(u64::try_from(messages).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts a connection that is closed because its client does not read, and logs it.
    pub(crate) fn count_slow_reader(&self) {
        if let Some(connections) = self.slow_readers.count(Instant::now()) {
            tracing::warn!(
                connections,
                "closed connections whose clients did not read what they were sent (4100); further ones are \
                 reported at most once a minute"
            );
        }
    }

    /// Counts a client for whom there is no room, and logs it.
    pub(crate) fn count_turned_away(&self) {
        if let Some(connections) = self.turned_away.count(Instant::now()) {
            tracing::warn!(
                connections,
                "closed connections beyond the limit of connections (4100); further ones are reported at most \
                 once a minute"
            );
        }
    }
}

/// Counts what an operator should learn of, without a line in the log for each case.
#[derive(Debug, Default)]
struct Trouble {
    count: AtomicU64,
    /// When something was reported last, and the count then.
    reported: Mutex<Option<(Instant, u64)>>,
}

const REPORT_INTERVAL: Duration = Duration::from_secs(60);

impl Trouble {
    /// Counts a case. Returns the number of cases to report now, if it is time to.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let before = match *reported {
            Some((at, _)) if now.duration_since(at) < REPORT_INTERVAL => return None,
            Some((_, before)) => before,
            None => 0,
        };
        *reported = Some((now, count));
        Some(count - before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_reported_at_once_and_then_together_once_a_minute() {
        let (trouble, start) = (Trouble::default(), Instant::now());
        let at = |seconds| trouble.count(start + Duration::from_secs(seconds));
        assert_eq!(at(0), Some(1));
        assert_eq!((at(1), at(30), at(59)), (None, None, None));
        assert_eq!(at(60), Some(4));
        assert_eq!((at(61), at(200)), (None, Some(2)));
    }
}
