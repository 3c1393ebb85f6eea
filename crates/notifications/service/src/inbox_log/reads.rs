use internal_notifications_models::{
    Change, ChangeKind, ChangesAnswer, InboxNotification, InboxPage, NotificationId, Position, ResetReason,
    Tag,
};

use super::InboxLog;

/// Reading the inbox and its log.
impl InboxLog {
    /// Returns a notification in the inbox.
    pub fn notification(&self, id: &NotificationId) -> Option<&InboxNotification> {
        self.rows.get(&(*self.ids.get(id)?)?)
    }

    /// Returns whether this id was ever added, even if the notification has left the inbox.
    pub fn was_added(&self, id: &NotificationId) -> bool {
        self.ids.contains_key(id)
    }

    /// Returns the notifications, oldest first.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &InboxNotification> {
        self.rows.values()
    }

    /// Returns the newest `limit` notifications, or the newest of those added before the seq
    /// `before`.
    pub fn page(&self, limit: usize, before: Option<u64>) -> InboxPage {
        let mut rows = self.rows.range(..before.unwrap_or(u64::MAX)).rev().map(|(_, row)| row);
        let notifications: Vec<_> = rows.by_ref().take(limit).cloned().collect();
        let next = notifications.last().map(|row| row.added).filter(|_| rows.next().is_some());
        InboxPage::new(self.head, notifications, next)
    }

    /// Returns at most `limit` changes after a position, or a reset with at most `snapshot`
    /// notifications.
    pub fn changes(&self, after: Position, limit: usize, snapshot: usize) -> ChangesAnswer {
        if let Some(reason) = self.reset(after) {
            return ChangesAnswer::reset(reason, self.page(snapshot, None));
        }
        let changes: Vec<_> = self.records(after.seq).take(limit).collect();
        let more = after.seq + (changes.len() as u64) < self.head.position.seq;
        ChangesAnswer::changes(changes, more)
    }

    /// Returns the changes after a seq, as far back as the log goes and as clients get them now.
    pub fn records(&self, after: u64) -> impl Iterator<Item = Change> {
        let skip = usize::try_from(after.saturating_sub(self.floor())).unwrap_or(usize::MAX);
        self.changes.iter().skip(skip).map(|change| self.as_sent(change))
    }

    /// Returns the seq before the oldest change in the log, from which on a catch-up is possible.
    pub fn floor(&self) -> u64 {
        self.changes.front().map_or(self.head.position.seq, |change| change.stamp.seq - 1)
    }

    fn reset(&self, after: Position) -> Option<ResetReason> {
        let head = self.head.position;
        if after.seq > head.seq || after.tag.is_some() != (after.seq > 0) {
            return Some(ResetReason::Diverged);
        }
        if after.seq < self.floor() {
            return Some(ResetReason::Trimmed);
        }
        if self.tag_at(after.seq) != after.tag {
            return Some(ResetReason::Diverged);
        }
        (head.seq - after.seq > Self::FAR_BEHIND).then_some(ResetReason::Behind)
    }

    /// Returns the tag of the change at a seq. It is also in the next change and in the head, so
    /// that the newest forgotten tag is still known.
    pub(super) fn tag_at(&self, seq: u64) -> Option<Tag> {
        if seq == self.head.position.seq {
            return self.head.position.tag;
        }
        let next = usize::try_from(seq.checked_sub(self.floor())?).ok()?;
        self.changes.get(next)?.stamp.prev
    }

    /// Returns a change as clients get it: an added notification that was removed is only gone.
    fn as_sent(&self, change: &Change) -> Change {
        match &change.kind {
            ChangeKind::Added { notification }
                if !matches!(self.ids.get(&notification.id), Some(Some(_))) =>
            {
                Change::new(change.stamp, ChangeKind::Gone { id: notification.id.clone() })
            }
            _ => change.clone(),
        }
    }
}
