use crate::RETRACTED_AT_ONCE;

/// The most scheduled deliveries that one step cancels.
pub(crate) const CANCELLED: usize = 5_000;

/// When a retraction is due. Its own time may be ahead of what counts as now, since it is the time
/// that is stored with a change.
pub(crate) const AT_ONCE: i64 = 0;

/// How much of each withdrawal one step does.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most inboxes that are looked at, including those that no longer have the notification.
    pub(crate) inboxes: usize,
    /// The most scheduled deliveries that are cancelled.
    pub(crate) cancelled: usize,
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Limits {
    /// The limits of each step of a retraction that [`is_small`].
    pub(crate) const RETRACTION: Self = Self { inboxes: 10_000, cancelled: CANCELLED };
}

/// What a step with withdrawals did.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[derive(Debug, Default)]
pub(crate) struct Withdrawn {
    pub(crate) done: crate::Advanced,
    /// The notifications that may be in further inboxes, and the last inbox that is done.
    pub(crate) reached: std::collections::BTreeMap<i64, i64>,
}

/// Returns whether a retraction removes the notification from all inboxes before it is answered,
/// rather than [`Store::advance`](crate::Store::advance) after it.
pub(crate) fn is_small(removed: u64) -> bool {
    removed <= RETRACTED_AT_ONCE
}
