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
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct RecentChanges {
    /// The seq before the oldest effect.
    floor: u64,
    /// One for each change, so that a seq is an index.
    effects: VecDeque<Option<Effect>>,
    /// How many ids the effects have together.
    ids: usize,
}

#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
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

#[cfg(test)]
mod tests {
    use internal_notifications_models::{InternalNotification, Stamp, Tag};

    use super::*;

    /// A page as it was read at any time: two pending rows, added by the changes 1 and 2.
    fn page() -> Vec<InboxNotification> {
        [("a", 1), ("b", 2)].map(|(id, added)| row(id, added)).into()
    }

    fn row(id: &str, added: u64) -> InboxNotification {
        let notification = InternalNotification::new("c");
        let at = Timestamp::UNIX_EPOCH;
        InboxNotification::new(id.parse().unwrap(), notification, "key:t", at, added)
    }

    fn at(seq: u64) -> Timestamp {
        Timestamp::from_second(i64::try_from(seq).unwrap()).unwrap()
    }

    fn position(seq: u64) -> Position {
        Position { seq, tag: Some(Tag::from_bits(seq)) }
    }

    fn change(seq: u64, kind: ChangeKind) -> Change {
        Change::new(Stamp::after(position(seq - 1), Tag::from_bits(seq), 0, at(seq)), kind)
    }

    fn ids(ids: &[&str]) -> Vec<NotificationId> {
        ids.iter().map(|id| id.parse().unwrap()).collect()
    }

    /// Returns rows as `id`, or `id*` if they are opened, in order of their ids.
    fn shown(rows: Option<Vec<InboxNotification>>) -> Option<Vec<String>> {
        let show = |row: InboxNotification| format!("{}{}", row.id, if row.opened { "*" } else { "" });
        rows.map(|rows| rows.into_iter().map(show).collect())
    }

    fn after(start: u64, kinds: impl IntoIterator<Item = ChangeKind>) -> RecentChanges {
        let mut changes = RecentChanges::default();
        changes.restart(position(start));
        for (seq, kind) in (start + 1..).zip(kinds) {
            changes.push(&change(seq, kind));
        }
        changes
    }

    fn opened(names: &[&str]) -> ChangeKind {
        ChangeKind::Opened { ids: ids(names) }
    }

    fn added() -> ChangeKind {
        ChangeKind::Added { notification: Box::new(row("new", 9)) }
    }

    #[test]
    fn a_page_gets_the_changes_since_it_was_read() {
        let removed = ChangeKind::Removed { ids: ids(&["a"]), reason: crate::models::RemovedReason::User };
        let changes = after(
            10,
            [added(), opened(&["a", "b", "unknown"]), ChangeKind::Unopened { ids: ids(&["a"]) }, removed],
        );
        let replay = |read_at| shown(changes.replay(read_at, page()));
        assert_eq!(replay(9), None);
        assert_eq!(replay(10).unwrap(), ["b*"]);
        assert_eq!(replay(12).unwrap(), ["b"]);
        assert_eq!(replay(14).unwrap(), ["a", "b"]);
        let rows = changes.replay(11, page()).unwrap();
        assert_eq!(rows[0].opened_at, Some(at(12)));
    }

    #[test]
    fn opening_all_opens_only_what_was_added_up_to_its_seq() {
        let changes = after(10, [ChangeKind::OpenedAll { through: 1 }]);
        assert_eq!(shown(changes.replay(10, page())).unwrap(), ["a*", "b"]);
    }

    #[test]
    fn beyond_the_bound_on_changes_the_oldest_are_forgotten() {
        let all = MAX_CHANGES as u64;
        let first = [opened(&["a"])];
        let mut changes = after(10, first.into_iter().chain((1..all).map(|_| added())));
        assert_eq!(shown(changes.replay(10, page())).unwrap(), ["a*", "b"]);
        changes.push(&change(10 + all + 1, opened(&["b"])));
        assert_eq!(changes.replay(10, page()), None, "the page lacks a change that is forgotten");
        assert_eq!(shown(changes.replay(11, page())).unwrap(), ["a", "b*"]);
        assert_eq!(shown(changes.replay(10 + all, page())).unwrap(), ["a", "b*"]);
        assert_eq!(shown(changes.replay(10 + all + 1, page())).unwrap(), ["a", "b"]);
        assert_eq!(changes.effects.len(), MAX_CHANGES);
    }

    #[test]
    fn beyond_the_bound_on_ids_the_oldest_are_forgotten() {
        let many: Vec<_> = (0..500).map(|number| format!("n{number}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let (kinds, ids) = (MAX_IDS / many.len(), MAX_IDS);
        let mut changes = after(10, (0..kinds).map(|_| opened(&many)));
        assert_eq!((changes.ids, changes.floor), (ids, 10));
        assert!(changes.replay(10, page()).is_some());
        changes.push(&change(11 + kinds as u64, opened(&["a"])));
        assert_eq!((changes.ids, changes.floor), (ids - many.len() + 1, 11));
        assert_eq!(changes.replay(10, page()), None);
        assert_eq!(shown(changes.replay(11, page())).unwrap(), ["a*", "b"]);
        let through = |seq| change(seq, ChangeKind::OpenedAll { through: 0 });
        (0..kinds as u64).for_each(|number| changes.push(&through(12 + kinds as u64 + number)));
        assert_eq!(changes.ids, ids - many.len() + 1 + kinds);
    }
}
