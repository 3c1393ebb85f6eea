use std::collections::{BTreeSet, VecDeque};

use internal_notifications_models::{LiveEvent, NotificationId, ResetReason};

/// A catch-up under way.
#[derive(Clone, Debug, Default)]
pub(super) struct CatchUp {
    /// Live events that came meanwhile.
    waiting: VecDeque<LiveEvent>,
    /// Something came that could not wait: ask once more after the last answer.
    dirty: bool,
    /// Added and gone again, with the removal still to come.
    gone: BTreeSet<NotificationId>,
    /// Changes cannot help; why, but for the first snapshot.
    snapshot: Option<Option<ResetReason>>,
}

/// Live events that wait for the answer of a catch-up, at most.
const WAITING: usize = 256;

impl CatchUp {
    pub(super) fn with_snapshot(reason: Option<ResetReason>) -> Self {
        Self { snapshot: Some(reason), ..Self::default() }
    }

    pub(super) fn wants_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    pub(super) fn reason(&self) -> Option<ResetReason> {
        self.snapshot.flatten()
    }

    pub(super) fn want_snapshot(&mut self, reason: ResetReason) {
        self.snapshot = Some(Some(reason));
    }

    pub(super) fn keep(&mut self, event: LiveEvent) {
        if self.waiting.len() < WAITING {
            self.waiting.push_back(event);
        } else {
            self.dirty = true;
        }
    }

    pub(super) fn mark_dirty(&mut self) {
        self.dirty = true;
    }

    pub(super) fn gone(&mut self) -> &mut BTreeSet<NotificationId> {
        &mut self.gone
    }

    pub(super) fn into_waiting(self) -> (VecDeque<LiveEvent>, bool) {
        (self.waiting, self.dirty)
    }
}
