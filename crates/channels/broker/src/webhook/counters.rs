use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of a broker's webhooks since its start, of all destinations together.
#[derive(Debug, Default)]
pub(crate) struct WebhookCounters {
    sent: AtomicU64,
    retried: AtomicU64,
    dropped: AtomicU64,
}

impl WebhookCounters {
    /// Returns the number of webhooks that were acknowledged.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Returns how often a webhook that had failed was sent again.
    pub(crate) fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// Returns the number of events that a destination will never get: there was no room for them,
    /// or it did not accept them in time.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl WebhookCounters {
    pub(super) fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_dropped(&self, events: usize) {
        self.dropped.fetch_add(u64::try_from(events).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
