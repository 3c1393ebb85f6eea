use internal_notifications_models::{
    ChangeKind, Head, NotificationId, Position, RemovedReason, Timestamp, UserId,
};

use crate::rules::hooks::MakeTag;

/// An inbox as a transaction has made it so far.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) key: i64,
    pub(crate) head: Head,
    /// The newest change before this transaction: up to there it is published, unless it has a publication row.
    pub(crate) before: u64,
}

/// What a transaction adds to logs and to the schedule, to be written in few statements whatever the number of rows.
pub(crate) struct Journal<'a> {
    make_tag: &'a MakeTag,
    pub(crate) changes: Vec<ChangeRow>,
    pub(crate) scheduled: Vec<ScheduledRow>,
}

/// What a change is, besides where it stands.
pub(crate) enum ChangeBody {
    /// This notification was added.
    Added(i64),
    /// Anything else, as on the wire.
    Other { detail: String, op: Option<String> },
}

/// A row of `changes`, and of `deliveries` where it added one.
#[derive(Debug)]
pub(crate) struct ChangeRow {
    pub(crate) inbox: i64,
    pub(crate) seq: u64,
    pub(crate) tag: i64,
    pub(crate) prev: Option<i64>,
    pub(crate) pending: u64,
    pub(crate) at: i64,
    pub(crate) added: Option<i64>,
    pub(crate) detail: Option<String>,
    pub(crate) op: Option<String>,
}

/// A row of `scheduled`.
#[derive(Debug)]
pub(crate) struct ScheduledRow {
    pub(crate) notification: i64,
    pub(crate) user_id: UserId,
    pub(crate) due_at: i64,
}

impl Inbox {
    pub(crate) fn new(key: i64, head: Head) -> Self {
        Self { key, head, before: head.position.seq }
    }

    pub(crate) fn has_changed(&self) -> bool {
        self.head.position.seq > self.before
    }
}

impl<'a> Journal<'a> {
    pub(crate) fn new(make_tag: &'a MakeTag) -> Self {
        Self { make_tag, changes: Vec::new(), scheduled: Vec::new() }
    }

    /// Makes the next change of an inbox. Its head must already hold the pending count after it.
    pub(crate) fn record(&mut self, inbox: &mut Inbox, at: Timestamp, body: ChangeBody) -> u64 {
        let (tag, prev) = ((self.make_tag)(), inbox.head.position.tag);
        let seq = inbox.head.position.seq + 1;
        inbox.head.position = Position { seq, tag: Some(tag) };
        let (added, detail, op) = match body {
            ChangeBody::Added(notification) => (Some(notification), None, None),
            ChangeBody::Other { detail, op } => (None, Some(detail), op),
        };
        self.changes.push(ChangeRow {
            inbox: inbox.key,
            seq,
            tag: tag.bits().cast_signed(),
            prev: prev.map(|tag| tag.bits().cast_signed()),
            pending: inbox.head.pending,
            at: at.as_millisecond(),
            added,
            detail,
            op,
        });
        seq
    }

    /// Notifications left an inbox, `pending` of them not opened.
    pub(crate) fn removed(
        &mut self,
        inbox: &mut Inbox,
        at: Timestamp,
        (ids, reason): (Vec<NotificationId>, RemovedReason),
        pending: u64,
    ) -> Result<u64, serde_json::Error> {
        inbox.head.pending = inbox.head.pending.saturating_sub(pending);
        let detail = serde_json::to_string(&ChangeKind::Removed { ids, reason })?;
        Ok(self.record(inbox, at, ChangeBody::Other { detail, op: None }))
    }

    /// The pending count of an inbox was found wrong: every client is to learn the right one.
    pub(crate) fn recounted(
        &mut self,
        inbox: &mut Inbox,
        at: Timestamp,
        counted: u64,
    ) -> Result<u64, serde_json::Error> {
        inbox.head.pending = counted;
        self.removed(inbox, at, (Vec::new(), RemovedReason::Recounted), 0)
    }
}
