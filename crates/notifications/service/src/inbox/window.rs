use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use internal_notifications_models::{InboxNotification, NotificationId, Timestamp};

/// The newest notifications of the inbox: every row with `added >= low`.
#[derive(Clone, Debug)]
pub(super) struct Window {
    most: usize,
    low: u64,
    rows: BTreeMap<u64, Arc<InboxNotification>>,
    added: HashMap<NotificationId, u64>,
}

impl Window {
    pub(super) fn new(most: usize) -> Self {
        Self { most, low: 0, rows: BTreeMap::new(), added: HashMap::new() }
    }

    /// Newest first.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = &Arc<InboxNotification>> {
        self.rows.values().rev()
    }

    pub(super) fn low(&self) -> u64 {
        self.low
    }

    /// How many rows there is room for, if there are older ones.
    pub(super) fn missing(&self) -> Option<usize> {
        self.most.checked_sub(self.rows.len()).filter(|missing| *missing > 0 && self.low > 0)
    }

    /// Raises the bound, up to a cap, and gives by how much; none when it is there.
    pub(super) fn grow(&mut self, count: usize, cap: usize) -> Option<usize> {
        let room = cap.checked_sub(self.most).filter(|room| *room > 0)?;
        let more = count.min(room);
        self.most = self.most.saturating_add(more);
        Some(more)
    }

    /// Lowers the bound, down to what it holds.
    pub(super) fn shrink(&mut self, count: usize) {
        let most = self.most.saturating_sub(count).max(self.rows.len()).max(1);
        self.most = most.min(self.most);
    }

    /// Adds the rows that come next below.
    pub(super) fn extend(&mut self, rows: Vec<InboxNotification>, low: u64) {
        for row in rows {
            if row.added < self.low && row.added >= low && !self.added.contains_key(&row.id) {
                let added = row.added;
                self.insert(Arc::new(row), added);
            }
        }
        self.low = low;
        self.evict();
    }

    /// Holds just these rows, which are all with `added >= low`; gives the low after eviction.
    pub(super) fn replace(&mut self, rows: Vec<InboxNotification>, low: u64) -> u64 {
        or_fault!(self.clear(), OlderKept => drop(self.rows.split_off(&low)));
        self.low = or_fault!(low, OlderKept => low.min(self.low));
        for row in rows {
            let added = row.added;
            self.insert(Arc::new(row), added);
        }
        self.evict();
        self.low
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.added.clear();
    }

    /// Adds a row at its place, and evicts the oldest beyond the bound.
    pub(super) fn add(&mut self, mut row: InboxNotification, seq: u64) -> Arc<InboxNotification> {
        row.added = seq;
        let row = Arc::new(row);
        self.insert(Arc::clone(&row), seq);
        self.evict();
        row
    }

    /// All rows, oldest first; nothing is left.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Arc<InboxNotification>> + use<> {
        self.added.clear();
        std::mem::take(&mut self.rows).into_values()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Puts a row at its place, instead of one that a server said to be there too.
    pub(super) fn insert(&mut self, row: Arc<InboxNotification>, added: u64) {
        self.remove(&row.id);
        self.added.insert(row.id.clone(), added);
        if let Some(other) = self.rows.insert(added, row) {
            self.added.remove(&other.id);
        }
    }

    fn evict(&mut self) {
        while self.rows.len() > self.most {
            let Some((_, row)) = self.rows.pop_first() else { return };
            self.added.remove(&row.id);
            self.low = self.rows.first_key_value().map_or(self.low, |(added, _)| *added);
        }
    }

    pub(super) fn mark(&mut self, id: &NotificationId, opened_at: Option<Timestamp>) {
        let row = self.added.get(id).and_then(|added| self.rows.get_mut(added));
        if let Some(row) = row {
            set_opened(row, opened_at);
        }
    }

    pub(super) fn open_through(&mut self, through: u64, at: Timestamp) {
        self.rows.range_mut(..=through).for_each(|(_, row)| set_opened(row, Some(at)));
    }

    pub(super) fn remove(&mut self, id: &NotificationId) {
        if let Some(added) = self.added.remove(id) {
            self.rows.remove(&added);
        }
    }
}

/// Marks a row that others may hold: they keep theirs as it was.
pub(super) fn set_opened(row: &mut Arc<InboxNotification>, opened_at: Option<Timestamp>) {
    if row.opened != opened_at.is_some() {
        Arc::make_mut(row).set_opened(opened_at);
    }
}

#[cfg(test)]
mod tests {
    use internal_notifications_models::InternalNotification;

    use super::*;

    fn row(id: &str, added: u64) -> InboxNotification {
        let notification = InternalNotification::new("c");
        InboxNotification::new(id.parse().unwrap(), notification, "key:shop", Timestamp::UNIX_EPOCH, added)
    }

    #[test]
    fn of_two_rows_at_one_place_nothing_of_the_first_is_left() {
        let mut window = Window::new(3);
        window.replace(vec![row("first", 7), row("second", 7)], 0);
        window.remove(&"first".parse().unwrap());
        assert_eq!(window.rows().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["second"]);
        assert_eq!(window.added.len(), 1);
    }
}
