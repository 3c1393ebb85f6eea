use std::time::Duration;

/// What one call of [`Store::advance`](crate::Store::advance) did, in inboxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Inboxes that a scheduled notification entered, each time counted.
    pub delivered: u64,
    /// Inboxes that an expired or retracted notification left.
    pub withdrawn: u64,
    /// Inboxes that a scheduled notification was to enter, and did not: it had expired before.
    pub expired: u64,
    /// How long ago the first of those delivered had fallen due; zero when none was.
    pub lateness: Duration,
}

impl Advanced {
    /// Whether there was nothing to do, so that it need not be called again before more falls due.
    pub fn is_idle(&self) -> bool {
        self.delivered == 0 && self.withdrawn == 0
    }

    /// What was done in a further step.
    pub(crate) fn add(&mut self, more: Self) {
        self.delivered += more.delivered;
        self.withdrawn += more.withdrawn;
        self.expired += more.expired;
        self.lateness = self.lateness.max(more.lateness);
    }
}
