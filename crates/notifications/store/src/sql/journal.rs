use internal_notifications_models::{
    ChangeKind, Head, MAX_IDS, NotificationId, Position, RemovedReason, Timestamp, UserId,
};

use super::failure::Failure;
use crate::rules::hooks::MakeTag;

/// The ids of notifications that leave an inbox, and why.
pub(crate) type Removal = (Vec<NotificationId>, RemovedReason);

/// The row of an inbox, as changed so far by the current transaction.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) key: i64,
    pub(crate) head: Head,
    /// The seq before this transaction. An inbox without a publication row is published up to it.
    pub(crate) before: u64,
}

/// The rows that a transaction adds, collected so that few statements write them all.
pub(crate) struct Journal<'a> {
    make_tag: &'a MakeTag,
    pub(crate) changes: Vec<ChangeRow>,
    pub(crate) scheduled: Vec<ScheduledRow>,
}

/// What a change does, apart from its position.
#[derive(Debug)]
pub(crate) enum ChangeBody {
    /// Adds the notification with this key.
    Added(i64),
    /// Does anything else: the JSON of its [`ChangeKind`], and the client's operation id.
    Other { detail: String, op: Option<String> },
}

/// A row of the table `changes`. If it adds a notification, it is a row of `deliveries` too.
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

/// A row of the table `scheduled`.
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

    /// Records the next change of an inbox and returns its seq.
    ///
    /// The head of the inbox must already hold the pending count after the change.
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

    /// Records the removal of notifications, of which `pending` were not opened.
    pub(crate) fn removed(
        &mut self,
        inbox: &mut Inbox,
        at: Timestamp,
        (ids, reason): Removal,
        pending: u64,
    ) -> Result<u64, serde_json::Error> {
        inbox.head.pending = inbox.head.pending.saturating_sub(pending);
        let detail = serde_json::to_string(&ChangeKind::Removed { ids, reason })?;
        Ok(self.record(inbox, at, ChangeBody::Other { detail, op: None }))
    }

    /// Records that a sweep removes notifications: rows with the seq that added each, its id, and
    /// whether it is pending.
    pub(crate) fn pruned(
        &mut self,
        inbox: &mut Inbox,
        at: Timestamp,
        rows: &[(i64, String, bool)],
    ) -> Result<(), Failure> {
        for part in rows.chunks(MAX_IDS) {
            let ids = part.iter().map(|(_, id, _)| NotificationId::new(id.clone()));
            let removed = (ids.collect::<Result<_, _>>()?, RemovedReason::Pruned);
            let pending = part.iter().filter(|(.., pending)| *pending).count() as u64;
            self.removed(inbox, at, removed, pending)?;
        }
        Ok(())
    }

    /// Records that the pending count was wrong, which sends the right one to every client.
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

/// Reads the removal of one notification, from its stored id and reason.
pub(crate) fn read_removal(id: &str, reason: &str) -> Result<Removal, Failure> {
    Ok((vec![NotificationId::new(id)?], serde_json::from_value(reason.into())?))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use internal_notifications_models::Tag;

    use super::*;

    fn inbox(seq: u64, pending: u64) -> Inbox {
        let tag = (seq > 0).then(|| Tag::from_bits(7));
        Inbox::new(1, Head::new(Position { seq, tag }, pending))
    }

    fn counting_tags() -> impl Fn() -> Tag + Send + Sync {
        let next = AtomicU64::new(100);
        move || Tag::from_bits(next.fetch_add(1, Ordering::Relaxed))
    }

    #[test]
    fn each_record_follows_the_one_before() {
        let tags = counting_tags();
        let (mut journal, mut inbox) = (Journal::new(&tags), inbox(4, 2));
        assert!(!inbox.has_changed());
        assert_eq!(journal.record(&mut inbox, Timestamp::UNIX_EPOCH, ChangeBody::Added(9)), 5);
        let other = ChangeBody::Other { detail: "{}".to_owned(), op: Some("op".to_owned()) };
        assert_eq!(journal.record(&mut inbox, Timestamp::UNIX_EPOCH, other), 6);
        assert!(inbox.has_changed());
        assert_eq!((inbox.before, inbox.head.position.seq), (4, 6));
        let [first, second] = &journal.changes[..] else { panic!("{:?}", journal.changes) };
        assert_eq!((first.seq, first.prev, first.tag, first.pending), (5, Some(7), 100, 2));
        assert_eq!((first.added, &first.detail, &first.op), (Some(9), &None, &None));
        assert_eq!((second.seq, second.prev, second.tag), (6, Some(100), 101));
        assert_eq!(
            (second.added, second.detail.as_deref(), second.op.as_deref()),
            (None, Some("{}"), Some("op"))
        );
    }

    #[test]
    fn a_removal_lowers_the_pending_count_and_a_recount_replaces_it() {
        let tags = counting_tags();
        let (mut journal, mut inbox) = (Journal::new(&tags), inbox(0, 3));
        let removed = (vec!["n".parse().unwrap()], RemovedReason::Pruned);
        assert_eq!(journal.removed(&mut inbox, Timestamp::UNIX_EPOCH, removed, 2).unwrap(), 1);
        assert_eq!((inbox.head.pending, journal.changes[0].pending), (1, 1));
        assert_eq!(journal.recounted(&mut inbox, Timestamp::UNIX_EPOCH, 5).unwrap(), 2);
        assert_eq!((inbox.head.pending, journal.changes[1].pending), (5, 5));
        assert!(journal.changes[1].detail.as_deref().unwrap().contains("recounted"));
    }

    #[test]
    fn a_prune_makes_a_change_for_each_five_hundred_ids() {
        let tags = counting_tags();
        let (mut journal, mut inbox) = (Journal::new(&tags), inbox(0, 600));
        let rows: Vec<_> = (0..=MAX_IDS).map(|n| (0, format!("n{n}"), n % 2 == 0)).collect();
        journal.pruned(&mut inbox, Timestamp::UNIX_EPOCH, &rows).unwrap();
        let pending: Vec<_> = journal.changes.iter().map(|change| change.pending).collect();
        assert_eq!(pending, [350, 349]);
        assert!(journal.changes[1].detail.as_deref().unwrap().contains(&format!("n{MAX_IDS}")));
    }
}
