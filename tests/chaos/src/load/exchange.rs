use std::time::Instant;

/// The times of a request that was sent until it was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) first: Instant,
    /// When the attempt that was answered began.
    pub(crate) last: Instant,
    pub(crate) answered: Instant,
    pub(crate) attempts: u32,
}

/// The replacement of the database by an earlier copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restore {
    /// The copy contains everything that was answered before this.
    pub(crate) copied: Instant,
    /// Requests sent after this reach the copy.
    pub(crate) restored: Instant,
}

impl Exchange {
    /// Returns whether no restore can have undone the request.
    pub(crate) fn survives(&self, restores: &[Restore]) -> bool {
        restores.iter().all(|restore| self.answered < restore.copied || self.last > restore.restored)
    }
}
