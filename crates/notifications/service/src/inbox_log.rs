mod reads;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use internal_notifications_models::{
    Change, ChangeKind, Head, InboxNotification, InternalNotification, MAX_IDS, NotificationId, OpId,
    RemovedReason, Stamp, Tag, Timestamp, WriteAnswer,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A write in the user's own inbox.
///
/// As JSON it has a `kind`: `{"kind": "opened", "ids": […]}`, `{"kind": "unopened", "ids": […]}`,
/// `{"kind": "opened_all", "through": 7, "tag": "…"}`, `{"kind": "remove", "id": "…"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboxCommand {
    /// Marks notifications opened. Unknown and opened ones are skipped.
    Opened(Vec<NotificationId>),
    /// Marks notifications pending again. Unknown and pending ones are skipped.
    Unopened(Vec<NotificationId>),
    /// Marks every notification opened that was added up to `through`, or up to the head.
    OpenedAll {
        /// The last seq, inclusive.
        through: Option<u64>,
        /// The tag that the change at `through` must have.
        tag: Option<Tag>,
    },
    /// Removes a notification.
    Remove(NotificationId),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Json<'a> {
    Opened { ids: Cow<'a, [NotificationId]> },
    Unopened { ids: Cow<'a, [NotificationId]> },
    OpenedAll { through: Option<u64>, tag: Option<Tag> },
    Remove { id: Cow<'a, NotificationId> },
}

impl Serialize for InboxCommand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Opened(ids) => Json::Opened { ids: ids.into() },
            Self::Unopened(ids) => Json::Unopened { ids: ids.into() },
            Self::OpenedAll { through, tag } => Json::OpenedAll { through: *through, tag: *tag },
            Self::Remove(id) => Json::Remove { id: Cow::Borrowed(id) },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for InboxCommand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Json::deserialize(deserializer)? {
            Json::Opened { ids } => Self::Opened(ids.into_owned()),
            Json::Unopened { ids } => Self::Unopened(ids.into_owned()),
            Json::OpenedAll { through, tag } => Self::OpenedAll { through, tag },
            Json::Remove { id } => Self::Remove(id.into_owned()),
        })
    }
}

/// Why a command was refused. It has changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is no such notification.
    #[error("the inbox has no such notification")]
    Unknown,
    /// `through` is beyond the head, or its change has another tag or is no longer in the log.
    #[error("the history of the inbox is not the one that the request refers to")]
    Diverged,
}

/// The inbox of a user on the server, with its change log: it turns commands into changes.
///
/// These are the rules of every store; the tests of the stores compare them with this one. Times
/// and tags are parameters: there is no clock and no random number here.
#[derive(Clone, Debug, Default)]
pub struct InboxLog {
    rows: BTreeMap<u64, InboxNotification>,
    /// Every id that was ever added, with the key of its row until it is removed.
    ids: BTreeMap<NotificationId, Option<u64>>,
    changes: VecDeque<Change>,
    /// The operations that made a change, with the seq of the change.
    ops: BTreeMap<OpId, u64>,
    head: Head,
}

impl InboxLog {
    /// A catch-up that is further behind than this many changes is answered with a snapshot.
    pub const FAR_BEHIND: u64 = 10_000;

    /// Makes an empty inbox, at (0, none).
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the newest position and the pending count there.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Adds a notification. Returns `None`, and changes nothing, if its id was ever added before.
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

    /// Removes notifications on behalf of the server: retracted, expired or pruned ones.
    ///
    /// One change removes at most [`MAX_IDS`] notifications; with more, call it again until it
    /// returns `None`. It does so, and changes nothing, if none of them is in the inbox.
    pub fn withdraw(
        &mut self,
        ids: &[NotificationId],
        reason: RemovedReason,
        at: Timestamp,
        tag: Tag,
    ) -> Option<Change> {
        let removed = ids.iter().filter(|id| self.take_out(id)).take(MAX_IDS).cloned().collect();
        some(removed).map(|ids| self.record(ChangeKind::Removed { ids, reason }, at, tag))
    }

    /// Does a command of the user. A repeated `op` that made a change does nothing.
    ///
    /// # Errors
    /// Returns [`Refused`], and changes nothing, if the command cannot be done.
    pub fn write(
        &mut self,
        command: &InboxCommand,
        op: Option<&OpId>,
        at: Timestamp,
        tag: Tag,
    ) -> Result<WriteAnswer, Refused> {
        let nothing = WriteAnswer::new(None, self.head);
        if op.is_some_and(|op| self.has_done(op)) {
            return Ok(nothing);
        }
        let Some(kind) = self.apply(command, at)? else { return Ok(nothing) };
        let seq = self.record(kind, at, tag).stamp.seq;
        self.ops.extend(op.map(|op| (op.clone(), seq)));
        Ok(WriteAnswer::new(Some(seq), self.head))
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
                let removed = self.take_out(id).then(|| vec![id.clone()]).ok_or(Refused::Unknown)?;
                Some(ChangeKind::Removed { ids: removed, reason: RemovedReason::User })
            }
        })
    }

    /// Removes a row and remembers its id. Returns false if it is not there.
    fn take_out(&mut self, id: &NotificationId) -> bool {
        let row = self.ids.get_mut(id).and_then(Option::take).and_then(|added| self.rows.remove(&added));
        self.head.pending -= u64::from(row.as_ref().is_some_and(|row| !row.opened));
        row.is_some()
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
        let through = through.unwrap_or(head);
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
        let stamp = Stamp::after(before, tag, self.head.pending, at);
        self.head.position = stamp.position();
        let change = Change::new(stamp, kind);
        self.changes.push_back(change.clone());
        change
    }

    /// Returns whether an operation made a change that is still in the log.
    fn has_done(&self, op: &OpId) -> bool {
        self.ops.contains_key(op)
    }

    /// Forgets the changes up to a seq, inclusive, and the operations that made them.
    pub fn trim(&mut self, through: u64) {
        while self.changes.front().is_some_and(|change| change.stamp.seq <= through) {
            self.changes.pop_front();
        }
        self.ops.retain(|_, seq| *seq > through);
    }

    /// Forgets a removed notification, so that it may be added again. One in the inbox stays.
    pub fn forget(&mut self, id: &NotificationId) {
        if self.ids.get(id).is_some_and(Option::is_none) {
            self.ids.remove(id);
        }
    }

    /// Forgets all removed notifications, so that they may be added again.
    pub fn forget_removed(&mut self) {
        self.ids.retain(|_, added| added.is_some());
    }
}

fn some(ids: Vec<NotificationId>) -> Option<Vec<NotificationId>> {
    (!ids.is_empty()).then_some(ids)
}

#[cfg(test)]
mod tests;
