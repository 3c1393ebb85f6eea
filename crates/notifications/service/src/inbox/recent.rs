use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use internal_notifications_models::{
    Change, ChangeKind, InboxNotification, NotificationId, Position, Timestamp,
};

use super::window::set_opened;

/// What the newest changes did to notifications that were there already, to be done again to an older page that was read before them.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    /// The seq that the oldest effect follows.
    floor: u64,
    effects: VecDeque<Option<Effect>>,
    ids: usize,
}

#[derive(Clone, Debug)]
enum Effect {
    Mark(Vec<NotificationId>, Option<Timestamp>),
    OpenThrough(u64, Timestamp),
    Remove(Vec<NotificationId>),
}

/// Changes remembered, and ids in them; a page older than that is asked for again.
const CHANGES: usize = 4_096;
const IDS: usize = 10_000;

impl Recent {
    pub(super) fn restart(&mut self, position: Position) {
        *self = Self { floor: position.seq, ..Self::default() };
    }

    pub(super) fn pass(&mut self, change: &Change) {
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
        while self.effects.len() > CHANGES || self.ids > IDS {
            let Some(oldest) = self.effects.pop_front() else { return };
            self.ids -= oldest.as_ref().map_or(0, Effect::ids);
            self.floor += 1;
        }
    }

    /// Rows read at a seq as they are now; none when that is longer ago than is remembered.
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
