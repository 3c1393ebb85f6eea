use std::collections::{BTreeMap, VecDeque};

use internal_notifications_models::{
    Change, ChangeKind, ChangesAnswer, Head, InboxNotification, InboxPage, InternalNotification,
    NotificationId, OpId, Position, RemovedReason, ResetReason, Stamp, Tag, Timestamp, WriteAnswer,
};

/// A write in a user's own inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboxCommand {
    /// Marks these opened; unknown and opened ones are skipped.
    Opened(Vec<NotificationId>),
    /// Marks these pending again; unknown and pending ones are skipped.
    Unopened(Vec<NotificationId>),
    /// Marks all opened that were added up to `through` (the head without one).
    OpenedAll {
        /// A seq, inclusive.
        through: Option<u64>,
        /// The tag that the record at `through` must have.
        tag: Option<Tag>,
    },
    /// Removes one.
    Remove(NotificationId),
}

/// Why a command was refused. The inbox is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is no such notification.
    #[error("no such notification in this inbox")]
    Unknown,
    /// `through` is beyond the head, or its record has another tag, or is no longer known.
    #[error("the inbox has another history than the one asked about")]
    Diverged,
}

/// One user's inbox on the server, with its change log: what makes a change of a command. The rules stand here once, pure; stores on disk
/// are compared with it.
///
/// Nothing here looks at a clock or makes a random number: times and tags are given.
#[derive(Clone, Debug, Default)]
pub struct InboxLog {
    rows: BTreeMap<u64, InboxNotification>,
    /// Every id that was ever added, with its row's key until it is removed.
    ids: BTreeMap<NotificationId, Option<u64>>,
    changes: VecDeque<Change>,
    /// The operations that made a change, with its seq.
    ops: BTreeMap<OpId, u64>,
    head: Head,
}

impl InboxLog {
    /// A catch-up from further behind than this many changes is answered with a snapshot.
    pub const FAR_BEHIND: u64 = 10_000;

    /// An empty inbox, at (0, none).
    pub fn new() -> Self {
        Self::default()
    }

    /// The newest position and its count.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Adds a notification. `None`, and no change, when its id was added before, also if it was removed since.
    pub fn add(
        &mut self,
        id: &NotificationId,
        notification: &InternalNotification,
        sender: &str,
        at: Timestamp,
        tag: Tag,
    ) -> Option<Change> {
        if self.ids.contains_key(id) {
            return None;
        }
        let added = self.head.position.seq + 1;
        let row = InboxNotification::new(id.clone(), notification.clone(), sender, at, added);
        self.ids.insert(id.clone(), Some(added));
        self.rows.insert(added, row.clone());
        self.head.pending += 1;
        Some(self.record(ChangeKind::Added { notification: Box::new(row) }, at, tag))
    }

    /// Does a command of the inbox's own user. A repeated `op` that made a change does nothing, and answers the head.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then.
    pub fn write(
        &mut self,
        command: &InboxCommand,
        op: Option<&OpId>,
        at: Timestamp,
        tag: Tag,
    ) -> Result<WriteAnswer, Refused> {
        let nothing = WriteAnswer { seq: None, head: self.head };
        if op.is_some_and(|op| self.has_done(op)) {
            return Ok(nothing);
        }
        let Some(kind) = self.apply(command, at)? else { return Ok(nothing) };
        let seq = self.record(kind, at, tag).stamp.seq;
        self.ops.extend(op.map(|op| (op.clone(), seq)));
        Ok(WriteAnswer { seq: Some(seq), head: self.head })
    }

    fn apply(&mut self, command: &InboxCommand, at: Timestamp) -> Result<Option<ChangeKind>, Refused> {
        Ok(match command {
            InboxCommand::Opened(ids) => some(self.mark(ids, Some(at))).map(|ids| ChangeKind::Opened { ids }),
            InboxCommand::Unopened(ids) => some(self.mark(ids, None)).map(|ids| ChangeKind::Unopened { ids }),
            InboxCommand::OpenedAll { through, tag } => {
                let through = self.through(*through, *tag)?;
                self.open_through(through, at).then_some(ChangeKind::OpenedAll { through })
            }
            InboxCommand::Remove(id) => {
                let added = self.ids.get_mut(id).and_then(Option::take).ok_or(Refused::Unknown)?;
                if self.rows.remove(&added).is_some_and(|row| !row.opened) {
                    self.head.pending -= 1;
                }
                Some(ChangeKind::Removed { ids: vec![id.clone()], reason: RemovedReason::User })
            }
        })
    }

    /// Marks rows, and says which changed, each once, in the order asked.
    fn mark(&mut self, ids: &[NotificationId], opened_at: Option<Timestamp>) -> Vec<NotificationId> {
        let mut changed = Vec::new();
        for id in ids {
            let Some(Some(added)) = self.ids.get(id) else { continue };
            if self.rows.get_mut(added).is_some_and(|row| row.set_opened(opened_at)) {
                self.head.pending = self.head.pending + 1 - 2 * u64::from(opened_at.is_some());
                changed.push(id.clone());
            }
        }
        changed
    }

    fn through(&self, through: Option<u64>, tag: Option<Tag>) -> Result<u64, Refused> {
        let head = self.head.position.seq;
        let Some(through) = through else { return Ok(head) };
        if through > head || (tag.is_some() && self.tag_at(through) != tag) {
            return Err(Refused::Diverged);
        }
        Ok(through)
    }

    fn open_through(&mut self, through: u64, at: Timestamp) -> bool {
        let opened = self
            .rows
            .range_mut(..=through)
            .filter_map(|(_, row)| row.set_opened(Some(at)).then_some(()))
            .count();
        self.head.pending -= opened as u64;
        opened > 0
    }

    fn record(&mut self, kind: ChangeKind, at: Timestamp, tag: Tag) -> Change {
        let before = self.head.position;
        let stamp = Stamp { seq: before.seq + 1, tag, prev: before.tag, pending: self.head.pending, at };
        self.head.position = stamp.position();
        let change = Change { stamp, kind };
        self.changes.push_back(change.clone());
        change
    }

    /// Whether an operation made a change, as long as the log tells.
    fn has_done(&self, op: &OpId) -> bool {
        self.ops.contains_key(op)
    }

    /// The seq of the oldest change that is still in the log, less one: a catch-up from there or later can be told.
    pub fn floor(&self) -> u64 {
        self.changes.front().map_or(self.head.position.seq, |change| change.stamp.seq - 1)
    }

    /// Forgets the changes up to a seq, and the operations that were stored with them.
    pub fn trim(&mut self, through: u64) {
        while self.changes.front().is_some_and(|change| change.stamp.seq <= through) {
            self.changes.pop_front();
        }
        self.ops.retain(|_, seq| *seq > through);
    }

    /// Forgets which notifications were removed: they may be added again.
    pub fn forget_removed(&mut self) {
        self.ids.retain(|_, added| added.is_some());
    }

    fn tag_at(&self, seq: u64) -> Option<Tag> {
        let index = usize::try_from(seq.checked_sub(self.floor() + 1)?).ok()?;
        self.changes.get(index).map(|change| change.stamp.tag)
    }

    /// The newest `limit` notifications, or those added before the seq `before`.
    pub fn page(&self, limit: usize, before: Option<u64>) -> InboxPage {
        let mut rows = self.rows.range(..before.unwrap_or(u64::MAX)).rev().map(|(_, row)| row);
        let notifications: Vec<_> = rows.by_ref().take(limit).cloned().collect();
        let next = notifications.last().map(|row| row.added).filter(|_| rows.next().is_some());
        InboxPage { head: self.head, notifications, next }
    }

    /// The changes after a position, at most `limit`; or a reset with a snapshot of at most `snapshot` notifications.
    pub fn changes(&self, after: Position, limit: usize, snapshot: usize) -> ChangesAnswer {
        if let Some(reason) = self.reset(after) {
            return ChangesAnswer::Reset { reason, snapshot: self.page(snapshot, None) };
        }
        let missed = self.changes.iter().skip((after.seq - self.floor()) as usize);
        let changes: Vec<_> = missed.take(limit).map(|change| self.as_told(change)).collect();
        let more = after.seq + (changes.len() as u64) < self.head.position.seq;
        ChangesAnswer::Changes { changes, more }
    }

    fn reset(&self, after: Position) -> Option<ResetReason> {
        let head = self.head.position;
        if after.seq > head.seq || after.tag.is_some() != (after.seq > 0) {
            return Some(ResetReason::Diverged);
        }
        if after.seq < self.floor() {
            return Some(ResetReason::Trimmed);
        }
        let here = if after.seq == head.seq { head.tag } else { self.tag_at(after.seq) };
        // At the floor itself the record is gone, but the next one still tells its tag.
        let here = here.or_else(|| self.changes.front().and_then(|oldest| oldest.stamp.prev));
        if here != after.tag {
            return Some(ResetReason::Diverged);
        }
        (head.seq - after.seq > Self::FAR_BEHIND).then_some(ResetReason::Behind)
    }

    /// The record of an added notification that was removed since says only that it is gone.
    fn as_told(&self, change: &Change) -> Change {
        match &change.kind {
            ChangeKind::Added { notification }
                if !matches!(self.ids.get(&notification.id), Some(Some(_))) =>
            {
                Change { stamp: change.stamp, kind: ChangeKind::Gone { id: notification.id.clone() } }
            }
            _ => change.clone(),
        }
    }
}

fn some(ids: Vec<NotificationId>) -> Option<Vec<NotificationId>> {
    (!ids.is_empty()).then_some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> NotificationId {
        NotificationId::new(text).unwrap()
    }

    fn log(ids: &[&str]) -> InboxLog {
        let mut log = InboxLog::new();
        for (index, name) in ids.iter().enumerate() {
            let notification = InternalNotification::new("c");
            log.add(&id(name), &notification, "key:t", Timestamp::UNIX_EPOCH, Tag::from_bits(index as u64))
                .unwrap();
        }
        log
    }

    fn write(log: &mut InboxLog, command: InboxCommand, op: Option<&str>) -> Result<WriteAnswer, Refused> {
        let op = op.map(|op| OpId::new(op).unwrap());
        let tag = Tag::from_bits(100 + log.head().position.seq);
        log.write(&command, op.as_ref(), Timestamp::UNIX_EPOCH, tag)
    }

    #[test]
    fn a_no_op_makes_no_change_and_takes_no_seq() {
        let mut log = log(&["a"]);
        let before = log.head();
        for command in [
            InboxCommand::Opened(vec![id("zzz")]),
            InboxCommand::Unopened(vec![id("a")]),
            InboxCommand::OpenedAll { through: Some(0), tag: None },
        ] {
            assert_eq!(write(&mut log, command, None), Ok(WriteAnswer { seq: None, head: before }));
        }
        assert!(
            log.add(
                &id("a"),
                &InternalNotification::new("c"),
                "key:t",
                Timestamp::UNIX_EPOCH,
                Tag::from_bits(9)
            )
            .is_none()
        );
        assert_eq!(log.head(), before);
    }

    #[test]
    fn a_repeated_op_does_nothing() {
        let mut log = log(&["a", "b"]);
        assert_eq!(write(&mut log, InboxCommand::Remove(id("a")), Some("1")).unwrap().seq, Some(3));
        assert_eq!(write(&mut log, InboxCommand::Remove(id("a")), Some("1")).unwrap().seq, None);
        assert_eq!(write(&mut log, InboxCommand::Remove(id("a")), Some("2")), Err(Refused::Unknown));
    }

    #[test]
    fn opened_all_never_opens_what_the_user_has_not_seen() {
        let mut log = log(&["a", "b", "c"]);
        let tag = Some(Tag::from_bits(1));
        let seen = |through, tag| InboxCommand::OpenedAll { through: Some(through), tag };
        assert_eq!(write(&mut log, seen(2, Some(Tag::from_bits(7))), None), Err(Refused::Diverged));
        assert_eq!(write(&mut log, seen(4, None), None), Err(Refused::Diverged));
        assert_eq!(write(&mut log, seen(2, tag), None).unwrap().head.pending, 1);
        assert!(!log.page(1, None).notifications[0].opened);
    }

    #[test]
    fn a_removed_notification_is_told_as_gone_and_never_added_again() {
        let mut log = log(&["a", "b"]);
        write(&mut log, InboxCommand::Remove(id("a")), None).unwrap();
        assert!(
            log.add(
                &id("a"),
                &InternalNotification::new("c"),
                "key:t",
                Timestamp::UNIX_EPOCH,
                Tag::from_bits(9)
            )
            .is_none()
        );
        let ChangesAnswer::Changes { changes, more } = log.changes(Position::default(), 10, 10) else {
            panic!()
        };
        assert!(!more);
        assert_eq!(changes[0].kind, ChangeKind::Gone { id: id("a") });
        assert_eq!(changes.len(), 3);
    }

    #[test]
    fn a_catch_up_tells_every_change_or_resets() {
        let mut log = log(&["a", "b", "c", "d"]);
        log.trim(2);
        let reason = |seq, tag: Option<u64>| {
            let after = Position { seq, tag: tag.map(Tag::from_bits) };
            match log.changes(after, 1, 10) {
                ChangesAnswer::Changes { changes, more } => Err((changes.len(), more)),
                ChangesAnswer::Reset { reason, .. } => Ok(reason),
            }
        };
        assert_eq!(reason(1, Some(0)), Ok(ResetReason::Trimmed));
        assert_eq!(reason(0, None), Ok(ResetReason::Trimmed));
        assert_eq!(reason(2, Some(1)), Err((1, true)));
        assert_eq!(reason(2, Some(9)), Ok(ResetReason::Diverged));
        assert_eq!(reason(3, Some(2)), Err((1, false)));
        assert_eq!(reason(4, Some(3)), Err((0, false)));
        assert_eq!(reason(4, Some(2)), Ok(ResetReason::Diverged));
        assert_eq!(reason(4, None), Ok(ResetReason::Diverged));
        assert_eq!(reason(5, Some(3)), Ok(ResetReason::Diverged));
        assert_eq!(reason(u64::MAX, Some(3)), Ok(ResetReason::Diverged));
    }

    #[test]
    fn pages_are_newest_first_and_say_whether_there_are_older_ones() {
        let log = log(&["a", "b", "c"]);
        let page = log.page(2, None);
        assert_eq!(page.notifications.iter().map(|row| row.added).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(page.next, Some(2));
        let page = log.page(2, Some(2));
        assert_eq!((page.notifications.len(), page.next), (1, None));
    }
}
