use std::ops::AddAssign;
use std::time::Duration;

/// What a call of [`Store::advance`](crate::Store::advance) did, counted in inboxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advanced {
    /// Scheduled notifications that were added to an inbox.
    pub delivered: u64,
    /// Expired or retracted notifications that were removed from an inbox.
    pub withdrawn: u64,
    /// Scheduled notifications that were not added because they had expired.
    pub expired: u64,
    /// How long the earliest delivered notification was overdue; zero if none was delivered.
    pub lateness: Duration,
    /// Whether there may be more to do.
    pub has_more: bool,
}

impl Advanced {
    /// Returns whether nothing was left to do, so that the next call can wait until more falls due.
    pub fn is_idle(&self) -> bool {
        !self.has_more && self.delivered == 0 && self.withdrawn == 0
    }
}

impl AddAssign for Advanced {
    fn add_assign(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.withdrawn += other.withdrawn;
        self.expired += other.expired;
        self.lateness = self.lateness.max(other.lateness);
        self.has_more |= other.has_more;
    }
}
