use crate::RETRACTED_AT_ONCE;

/// The most scheduled deliveries that one step cancels.
pub(crate) const CANCELLED: usize = 5_000;

/// How much of each withdrawal one step does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most inboxes from which the notification is removed.
    pub(crate) inboxes: usize,
    /// The most scheduled deliveries that are cancelled.
    pub(crate) cancelled: usize,
}

impl Limits {
    /// No limits, for what [`is_small`].
    pub(crate) const ALL: Self = Self { inboxes: usize::MAX, cancelled: usize::MAX };
}

/// Returns whether a retraction is finished before it is answered, rather than by
/// [`Store::advance`](crate::Store::advance).
pub(crate) fn is_small(cancelled: u64, removed: u64) -> bool {
    cancelled <= CANCELLED as u64 && removed <= RETRACTED_AT_ONCE
}
