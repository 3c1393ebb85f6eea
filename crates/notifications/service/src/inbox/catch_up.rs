use std::collections::{BTreeSet, VecDeque};

use internal_notifications_models::{LiveEvent, NotificationId, ResetReason};

/// A catch-up in progress.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct CatchUp {
    /// Live events that have arrived meanwhile.
    waiting: VecDeque<LiveEvent>,
    /// Whether to repeat the catch-up after the last answer, because an event was lost.
    is_dirty: bool,
    /// Notifications that were added but are gone, and whose removal has not been folded yet.
    gone: BTreeSet<NotificationId>,
    /// The reason why a snapshot is needed. The first snapshot has none.
    snapshot: Option<Option<ResetReason>>,
}

/// The most live events that wait for the answers of a catch-up.
const MAX_WAITING: usize = 256;

impl CatchUp {
    pub(super) fn with_snapshot(reason: Option<ResetReason>) -> Self {
        Self { snapshot: Some(reason), ..Self::default() }
    }

    /// Restores a catch-up. The events that waited are lost, and its answers will be newer.
    pub(super) fn restored(gone: BTreeSet<NotificationId>, snapshot: Option<Option<ResetReason>>) -> Self {
        Self { gone, snapshot, ..Self::default() }
    }

    pub(super) fn needs_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    pub(super) fn reason(&self) -> Option<ResetReason> {
        self.snapshot.flatten()
    }

    pub(super) fn require_snapshot(&mut self, reason: ResetReason) {
        self.snapshot = Some(Some(reason));
    }

    pub(super) fn push(&mut self, event: LiveEvent) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(event);
        } else {
            self.is_dirty = true;
        }
    }

    pub(super) fn mark_dirty(&mut self) {
        self.is_dirty = true;
    }

    pub(super) fn gone(&mut self) -> &mut BTreeSet<NotificationId> {
        &mut self.gone
    }

    pub(super) fn gone_so_far(&self) -> &BTreeSet<NotificationId> {
        &self.gone
    }

    pub(super) fn into_waiting(self) -> (VecDeque<LiveEvent>, bool) {
        (self.waiting, self.is_dirty)
    }
}
