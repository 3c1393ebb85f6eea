use std::time::Instant;

/// A request that is sent until it is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) first: Instant,
    /// When the attempt began that was answered.
    pub(crate) last: Instant,
    pub(crate) answered: Instant,
    pub(crate) attempts: u32,
}

/// A database that was put in the place of a later one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restore {
    /// What was answered before is in it.
    pub(crate) copied: Instant,
    /// What is sent from then on goes to it.
    pub(crate) restored: Instant,
}

impl Sent {
    /// Whether no restore may have taken back what was answered.
    pub(crate) fn outlives(&self, restores: &[Restore]) -> bool {
        restores.iter().all(|restore| self.answered < restore.copied || self.last > restore.restored)
    }
}
