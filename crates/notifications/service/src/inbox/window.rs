use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use internal_notifications_models::{InboxNotification, NotificationId, Timestamp};

/// The newest notifications of the inbox: every one with `added >= low`.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Window {
    max: usize,
    low: u64,
    rows: BTreeMap<u64, Arc<InboxNotification>>,
    added: HashMap<NotificationId, u64>,
}

impl Window {
    pub(super) fn new(max: usize) -> Self {
        Self { max, low: 0, rows: BTreeMap::new(), added: HashMap::new() }
    }

    /// Returns the rows, newest first.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = &Arc<InboxNotification>> {
        self.rows.values().rev()
    }

    pub(super) fn low(&self) -> u64 {
        self.low
    }

    /// Returns how many older rows fit, if there are older rows.
    pub(super) fn room(&self) -> Option<usize> {
        self.max.checked_sub(self.rows.len()).filter(|room| *room > 0 && self.low > 0)
    }

    /// Raises the bound up to a cap. Returns by how much, or `None` if the bound is at the cap.
    pub(super) fn grow(&mut self, count: usize, cap: usize) -> Option<usize> {
        let room = cap.checked_sub(self.max).filter(|room| *room > 0)?;
        let more = count.min(room);
        self.max = self.max.saturating_add(more);
        Some(more)
    }

    /// Lowers the bound, but not below the rows that are there.
    pub(super) fn shrink(&mut self, count: usize) {
        let max = self.max.saturating_sub(count).max(self.rows.len()).max(1);
        self.max = max.min(self.max);
    }

    /// Adds the next older rows, down to `low`.
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

    /// Replaces all rows by those with `added >= low`. Returns `low` after eviction.
    pub(super) fn replace(&mut self, rows: Vec<InboxNotification>, low: u64) -> u64 {
        planted!(OlderKept => {
            drop(self.rows.split_off(&low));
            return self.fill(rows, low.min(self.low));
        });
        self.rows.clear();
        self.added.clear();
        self.fill(rows, low)
    }

    fn fill(&mut self, rows: Vec<InboxNotification>, low: u64) -> u64 {
        self.low = low;
        for row in rows {
            let added = row.added;
            self.insert(Arc::new(row), added);
        }
        self.evict();
        self.low
    }

    /// Adds a row with its seq, and evicts the oldest rows beyond the bound.
    pub(super) fn add(&mut self, mut row: InboxNotification, seq: u64) -> Arc<InboxNotification> {
        row.added = seq;
        let row = Arc::new(row);
        self.insert(Arc::clone(&row), seq);
        self.evict();
        row
    }

    /// Takes all rows out, oldest first.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Arc<InboxNotification>> + use<> {
        self.added.clear();
        std::mem::take(&mut self.rows).into_values()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Inserts a row with its seq, and drops any other row of that seq or that id.
    pub(super) fn insert(&mut self, row: Arc<InboxNotification>, added: u64) {
        self.remove(&row.id);
        self.added.insert(row.id.clone(), added);
        if let Some(other) = self.rows.insert(added, row) {
            self.added.remove(&other.id);
        }
    }

    fn evict(&mut self) {
        while self.rows.len() > self.max {
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

/// Marks a row. Others who share it keep theirs unchanged.
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
    fn a_row_replaces_another_of_the_same_seq() {
        let mut window = Window::new(3);
        window.replace(vec![row("first", 7), row("second", 7)], 0);
        window.remove(&"first".parse().unwrap());
        assert_eq!(window.rows().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["second"]);
        assert_eq!(window.added.len(), 1);
    }
}
