use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::counter::Counter;

/// What a broker counts since its start; see [`Metrics`](crate::Metrics).
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) messages_in: Counter,
    pub(crate) messages_out: Counter,
    slow_readers: Trouble,
    turned_away: Trouble,
    full_addresses: Trouble,
}

impl Counters {
    pub(crate) fn slow_readers(&self) -> u64 {
        self.slow_readers.count.get()
    }

    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.count.get()
    }

    pub(crate) fn full_addresses(&self) -> u64 {
        self.full_addresses.count.get()
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
                "turned away connections beyond the limit of connections (4100, or status 503); further ones \
                 are reported at most once a minute"
            );
        }
    }

    /// Counts a client whose address has as many connections as it may, and logs it.
    pub(crate) fn count_full_address(&self, address: Option<IpAddr>) {
        if let Some(connections) = self.full_addresses.count(Instant::now()) {
            tracing::warn!(
                connections,
                client.address = address.map(tracing::field::display),
                "turned away connections beyond the limit for one address (4100, or status 503), the last from \
                 this address; if it is a proxy's, configure it as trusted; further ones are reported at most \
                 once a minute"
            );
        }
    }
}

/// Counts what an operator should learn of, without a line in the log for each case.
#[derive(Debug, Default)]
struct Trouble {
    count: Counter,
    /// When something was reported last, and the count then.
    reported: Mutex<Option<(Instant, u64)>>,
}

const REPORT_INTERVAL: Duration = Duration::from_secs(60);

impl Trouble {
    /// Counts a case. Returns the number of cases to report now, if it is time to.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.count.add(1);
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
