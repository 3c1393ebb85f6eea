use internal_notifications_models::{
    ChangeKind, Head, NotificationId, Position, RemovedReason, Tag, Timestamp, UserId,
};

/// Makes the tag of a change.
pub(super) type Tags = dyn Fn() -> Tag + Send + Sync;

/// An inbox as a transaction has made it so far.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) key: i64,
    pub(super) head: Head,
    /// The newest change before this transaction: up to there it is published, unless it has a publication row.
    pub(super) before: u64,
}

/// What a transaction adds to logs and to the schedule, to be written in few statements whatever the number of rows.
pub(super) struct Journal<'a> {
    tags: &'a Tags,
    pub(super) changes: Vec<ChangeRow>,
    pub(super) scheduled: Vec<ScheduledRow>,
}

/// What a change is, besides where it stands.
pub(super) enum Made {
    /// This notification was added.
    Added(i64),
    /// Anything else, as on the wire.
    Other { detail: String, op: Option<String> },
}

/// A row of `changes`, and of `deliveries` where it added one.
#[derive(Debug)]
pub(super) struct ChangeRow {
    pub(super) inbox: i64,
    pub(super) seq: u64,
    pub(super) tag: i64,
    pub(super) prev: Option<i64>,
    pub(super) pending: u64,
    pub(super) at: i64,
    pub(super) added: Option<i64>,
    pub(super) detail: Option<String>,
    pub(super) op: Option<String>,
}

/// A row of `scheduled`.
#[derive(Debug)]
pub(super) struct ScheduledRow {
    pub(super) notification: i64,
    pub(super) user_id: UserId,
    pub(super) due_at: i64,
}

impl Inbox {
    pub(super) fn new(key: i64, head: Head) -> Self {
        Self { key, head, before: head.position.seq }
    }

    pub(super) fn has_changed(&self) -> bool {
        self.head.position.seq > self.before
    }
}

impl<'a> Journal<'a> {
    pub(super) fn new(tags: &'a Tags) -> Self {
        Self { tags, changes: Vec::new(), scheduled: Vec::new() }
    }

    /// Makes the next change of an inbox. Its head must already hold the pending count after it.
    pub(super) fn record(&mut self, inbox: &mut Inbox, at: Timestamp, made: Made) -> u64 {
        let (tag, prev) = ((self.tags)(), inbox.head.position.tag);
        let seq = inbox.head.position.seq + 1;
        inbox.head.position = Position { seq, tag: Some(tag) };
        let (added, detail, op) = match made {
            Made::Added(notification) => (Some(notification), None, None),
            Made::Other { detail, op } => (None, Some(detail), op),
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
    pub(super) fn removed(
        &mut self,
        inbox: &mut Inbox,
        at: Timestamp,
        (ids, reason): (Vec<NotificationId>, RemovedReason),
        pending: u64,
    ) -> Result<u64, serde_json::Error> {
        inbox.head.pending = inbox.head.pending.saturating_sub(pending);
        let detail = serde_json::to_string(&ChangeKind::Removed { ids, reason })?;
        Ok(self.record(inbox, at, Made::Other { detail, op: None }))
    }

    /// The pending count of an inbox was found wrong: every client is to learn the right one.
    pub(super) fn recounted(
        &mut self,
        inbox: &mut Inbox,
        at: Timestamp,
        counted: u64,
    ) -> Result<u64, serde_json::Error> {
        inbox.head.pending = counted;
        self.removed(inbox, at, (Vec::new(), RemovedReason::Recounted), 0)
    }
}
