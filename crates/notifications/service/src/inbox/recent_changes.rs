use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use internal_notifications_models::{
    Change, ChangeKind, InboxNotification, NotificationId, Position, Timestamp,
};

use super::window::set_opened;

/// The effects of the newest changes on existing notifications.
///
/// They are replayed on an older page that was read before those changes.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentChanges {
    /// The seq before the oldest effect.
    floor: u64,
    /// One for each change, so that a seq is an index.
    effects: VecDeque<Option<Effect>>,
    /// How many ids the effects have together.
    ids: usize,
}

#[derive(Clone, Debug)]
enum Effect {
    Mark(Vec<NotificationId>, Option<Timestamp>),
    OpenThrough(u64, Timestamp),
    Remove(Vec<NotificationId>),
}

/// The most changes, and the most ids in them. A page that was read earlier is requested again.
const MAX_CHANGES: usize = 4_096;
const MAX_IDS: usize = 10_000;

impl RecentChanges {
    /// Starts again at the position of a snapshot.
    pub(super) fn restart(&mut self, position: Position) {
        *self = Self { floor: position.seq, ..Self::default() };
    }

    /// Records a change.
    pub(super) fn push(&mut self, change: &Change) {
        let at = change.stamp.at;
        let effect = match &change.kind {
            ChangeKind::Opened { ids } => Some(Effect::Mark(ids.clone(), Some(at))),
            ChangeKind::Unopened { ids } => Some(Effect::Mark(ids.clone(), None)),
            ChangeKind::OpenedAll { through } => Some(Effect::OpenThrough(*through, at)),
            ChangeKind::Removed { ids, .. } => Some(Effect::Remove(ids.clone())),
            _ => None,
        };
        self.ids += effect.as_ref().map_or(0, Effect::ids);
        self.effects.push_back(effect);
        while self.effects.len() > MAX_CHANGES || self.ids > MAX_IDS {
            let Some(oldest) = self.effects.pop_front() else { return };
            self.ids -= oldest.as_ref().map_or(0, Effect::ids);
            self.floor += 1;
        }
    }

    /// Brings rows that were read at a seq up to date. Returns `None` if that was too long ago.
    pub(super) fn replay(
        &self,
        read_at: u64,
        rows: Vec<InboxNotification>,
    ) -> Option<Vec<InboxNotification>> {
        let skip = usize::try_from(read_at.checked_sub(self.floor)?).ok()?;
        let mut rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.id.clone(), Arc::new(row))).collect();
        for effect in self.effects.iter().skip(skip).flatten() {
            match effect {
                Effect::Mark(ids, opened_at) => {
                    for id in ids {
                        rows.entry(id.clone()).and_modify(|row| set_opened(row, *opened_at));
                    }
                }
                Effect::OpenThrough(through, at) => {
                    rows.values_mut()
                        .filter(|row| row.added <= *through)
                        .for_each(|row| set_opened(row, Some(*at)));
                }
                Effect::Remove(ids) => ids.iter().for_each(|id| drop(rows.remove(id))),
            }
        }
        Some(rows.into_values().map(Arc::unwrap_or_clone).collect())
    }
}

impl Effect {
    fn ids(&self) -> usize {
        match self {
            Self::Mark(ids, _) | Self::Remove(ids) => ids.len(),
            Self::OpenThrough(..) => 1,
        }
    }
}
