//! Rules of the replica that random schedules seldom reach, one by one.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may")]

use internal_notifications_models::{
    Change, ChangeKind, ChangesAnswer, Head, InternalNotification, LiveEvent, NotificationId, OpId, Position,
    RemovedReason, ResetReason, Tag, Timestamp,
};
use internal_notifications_service::{
    Announcement, Inbox, InboxCommand, InboxEvent, InboxLog, InboxQuery, Status,
};

fn push(log: &mut InboxLog, id: &str) -> Change {
    let tag = Tag::from_bits(log.head().position.seq + 1);
    let (id, at) = (NotificationId::new(id).unwrap(), Timestamp::UNIX_EPOCH);
    log.add(&id, &InternalNotification::new("c"), "key:t", at, tag).unwrap()
}

/// A server with one notification, and a replica that has it.
fn started() -> (InboxLog, Inbox) {
    let (mut log, mut inbox) = (InboxLog::new(), Inbox::new(3));
    push(&mut log, "first");
    assert_eq!(inbox.on_snapshot(log.page(3, None)), [InboxEvent::Replaced(None)]);
    (log, inbox)
}

fn announced(events: &[InboxEvent]) -> Vec<&str> {
    let announced = events.iter().filter_map(|event| match event {
        InboxEvent::Announce(Announcement::Notification(row)) => Some(row.id.as_str()),
        _ => None,
    });
    announced.collect()
}

fn ids(inbox: &Inbox) -> Vec<&str> {
    inbox.rows().map(|row| row.id.as_str()).collect()
}

#[test]
fn the_next_change_is_applied_and_announced() {
    let (mut log, mut inbox) = started();
    let events = inbox.on_live(LiveEvent::Change(push(&mut log, "second")));
    assert!(matches!(events[0], InboxEvent::Applied(_)));
    assert_eq!(announced(&events), ["second"]);
    assert_eq!((ids(&inbox), inbox.head(), inbox.next_query()), (vec!["second", "first"], log.head(), None));
}

#[test]
fn a_repeat_is_ignored() {
    let (mut log, mut inbox) = started();
    let change = push(&mut log, "second");
    inbox.on_live(LiveEvent::Change(change.clone()));
    assert_eq!(inbox.on_live(LiveEvent::Change(change)), []);
    assert_eq!(inbox.next_query(), None);
}

#[test]
fn a_gap_starts_a_catch_up_and_its_answer_decides() {
    let (mut log, mut inbox) = started();
    let after = inbox.head().position;
    push(&mut log, "lost");
    assert_eq!(inbox.on_live(LiveEvent::Change(push(&mut log, "late"))), []);
    assert_eq!(inbox.next_query(), Some(InboxQuery::Changes { after }));
    let events = inbox.on_changes(after, log.changes(after, 500, 3));
    assert_eq!(announced(&events), ["lost", "late"]);
    assert_eq!(inbox.next_query(), None);
}

#[test]
fn a_thin_event_starts_a_catch_up() {
    let (mut log, mut inbox) = started();
    inbox.on_live(LiveEvent::Thin(push(&mut log, "large").stamp));
    assert!(inbox.next_query().is_some());
}

#[test]
fn an_evicted_notification_is_announced_too() {
    let (mut log, mut inbox) = started();
    let after = inbox.head().position;
    inbox.catch_up();
    (0..5).for_each(|n| drop(push(&mut log, &format!("n{n}"))));
    let events = inbox.on_changes(after, log.changes(after, 500, 3));
    assert_eq!(announced(&events), ["n0", "n1", "n2", "n3", "n4"]);
    assert_eq!(ids(&inbox), ["n4", "n3", "n2"]);
}

#[test]
fn a_catch_up_whose_buffer_overflows_is_repeated() {
    let (mut log, mut inbox) = started();
    let after = inbox.head().position;
    inbox.on_live(LiveEvent::Thin(push(&mut log, "thin").stamp));
    let answer = log.changes(after, 500, 3);
    for n in 0..1_000 {
        inbox.on_live(LiveEvent::Change(push(&mut log, &format!("n{n}"))));
    }
    inbox.on_changes(after, answer);
    let Some(InboxQuery::Changes { after }) = inbox.next_query() else {
        panic!("the replica must know that it missed something")
    };
    assert!(after.seq < log.head().position.seq);
    inbox.on_changes(after, log.changes(after, 2_000, 3));
    assert_eq!((inbox.head(), inbox.next_query()), (log.head(), None));
}

#[test]
fn a_page_with_a_gap_is_not_folded() {
    let (mut log, mut inbox) = started();
    let after = inbox.head().position;
    inbox.catch_up();
    (0..3).for_each(|n| drop(push(&mut log, &format!("n{n}"))));
    let ChangesAnswer::Changes { mut changes, .. } = log.changes(after, 500, 3) else { panic!() };
    changes.remove(1);
    assert_eq!(inbox.on_changes(after, ChangesAnswer::changes(changes, false)), []);
    assert_eq!((inbox.head().position, inbox.next_query()), (after, Some(InboxQuery::Snapshot)));
}

#[test]
fn an_empty_page_that_promises_more_ends_in_a_snapshot() {
    let (_, mut inbox) = started();
    let after = inbox.head().position;
    inbox.catch_up();
    inbox.on_changes(after, ChangesAnswer::changes(Vec::new(), true));
    assert_eq!(inbox.next_query(), Some(InboxQuery::Snapshot));
}

#[test]
fn an_endless_catch_up_is_given_up_for_a_snapshot() {
    let (mut log, mut inbox) = started();
    inbox.catch_up();
    for page in 0..30 {
        let after = inbox.head().position;
        (0..500).for_each(|n| drop(push(&mut log, &format!("{page}/{n}"))));
        match log.changes(after, 500, 3) {
            ChangesAnswer::Changes { changes, .. } => {
                inbox.on_changes(after, ChangesAnswer::changes(changes, true));
            }
            ChangesAnswer::Reset { .. } => panic!(),
        }
        if inbox.next_query() == Some(InboxQuery::Snapshot) {
            return;
        }
    }
    panic!("the catch-up never ends");
}

/// A catch-up full of notifications that are gone, whose removals are still to come.
#[test]
fn a_catch_up_full_of_gone_notifications_is_given_up_for_a_snapshot() {
    const PAGE: usize = 500;
    let (mut log, mut inbox) = started();
    inbox.catch_up();
    for page in 0..=20 {
        let after = inbox.head().position;
        let changes: Vec<_> = (0..PAGE)
            .map(|number| {
                let change = push(&mut log, &format!("{page}/{number}"));
                let id = NotificationId::new(format!("{page}/{number}")).unwrap();
                Change::new(change.stamp, ChangeKind::Gone { id })
            })
            .collect();
        inbox.on_changes(after, ChangesAnswer::changes(changes, true));
        let is_given_up = inbox.next_query() == Some(InboxQuery::Snapshot);
        assert_eq!(is_given_up, page == 20, "page {page}");
    }
    let events = inbox.on_snapshot(log.page(3, None));
    assert_eq!(events[0], InboxEvent::Replaced(Some(ResetReason::Behind)));
}

#[test]
fn a_catch_up_ends_on_a_gone_notification_only_with_its_removal() {
    let (mut log, mut inbox) = started();
    let after = inbox.head().position;
    inbox.catch_up();
    let stamp = push(&mut log, "gone").stamp;
    let id = NotificationId::new("gone").unwrap();
    let gone = Change::new(stamp, ChangeKind::Gone { id: id.clone() });
    inbox.on_changes(after, ChangesAnswer::changes(vec![gone.clone()], false));
    assert_eq!(inbox.next_query(), Some(InboxQuery::Snapshot));

    let mut inbox = started().1;
    inbox.catch_up();
    let at = Timestamp::UNIX_EPOCH;
    let removed = log.withdraw(&[id], RemovedReason::Retracted, at, Tag::from_bits(9)).unwrap();
    inbox.on_changes(after, ChangesAnswer::changes(vec![gone, removed], false));
    assert_eq!((inbox.next_query(), inbox.head()), (None, log.head()));
}

#[test]
fn a_change_of_an_unknown_kind_asks_for_a_snapshot() {
    let (mut log, mut inbox) = started();
    let after = inbox.head().position;
    let stamp = push(&mut log, "second").stamp;
    let unknown = Change::new(stamp, ChangeKind::Unknown);
    assert_eq!(inbox.on_live(LiveEvent::Change(unknown.clone())), []);
    inbox.on_changes(after, ChangesAnswer::changes(vec![unknown], false));
    assert_eq!(inbox.next_query(), Some(InboxQuery::Snapshot));
    let events = inbox.on_snapshot(log.page(3, None));
    assert_eq!(events[0], InboxEvent::Replaced(Some(ResetReason::Other)));
    assert_eq!(announced(&events), ["second"]);
}

#[test]
fn a_catch_up_queries_once_and_again_only_when_told_to_meanwhile() {
    let (log, mut inbox) = started();
    let after = inbox.head().position;
    inbox.catch_up();
    inbox.on_changes(after, log.changes(after, 500, 3));
    assert_eq!(inbox.next_query(), None);
    inbox.catch_up();
    inbox.catch_up();
    inbox.on_changes(after, log.changes(after, 500, 3));
    assert_eq!(inbox.next_query(), Some(InboxQuery::Changes { after }));
}

#[test]
fn a_head_is_news_unless_the_replica_has_passed_it() {
    let (mut log, mut inbox) = started();
    let asked_at = inbox.head().position;
    let old = inbox.head();
    inbox.on_live(LiveEvent::Change(push(&mut log, "second")));
    inbox.on_head(asked_at, old);
    assert_eq!(inbox.next_query(), None);
    let now = inbox.head().position;
    inbox.on_head(now, old);
    assert!(inbox.next_query().is_some(), "an answer older than the replica was when it asked");
    let mut inbox = started().1;
    let other = Position { seq: 1, tag: Some(Tag::from_bits(99)) };
    inbox.on_head(asked_at, Head::new(other, 1));
    assert!(inbox.next_query().is_some(), "the same seq with another tag");
}

#[test]
fn an_answer_to_an_earlier_query_is_ignored() {
    let (mut log, mut inbox) = started();
    let after = inbox.head().position;
    inbox.catch_up();
    push(&mut log, "second");
    let answer = log.changes(after, 500, 3);
    inbox.on_changes(after, answer.clone());
    assert_eq!(inbox.on_changes(after, answer), []);
    assert_eq!(inbox.on_snapshot(log.page(3, None)), []);
    assert_eq!(ids(&inbox), ["second", "first"]);
}

#[test]
fn a_bare_notification_is_announced_once_and_not_listed() {
    let (_, mut inbox) = started();
    let bare = InternalNotification::new("c").with_id(NotificationId::new("b").unwrap());
    assert_eq!(inbox.on_live(LiveEvent::Bare(Box::new(bare.clone()))).len(), 1);
    assert_eq!(inbox.on_live(LiveEvent::Bare(Box::new(bare))).len(), 0);
    assert_eq!(ids(&inbox), ["first"]);
}

#[test]
fn a_restored_backup_is_detected_at_its_first_event() {
    let (mut log, mut inbox) = started();
    let backup = log.clone();
    inbox.on_live(LiveEvent::Change(push(&mut log, "lost")));
    let mut log = backup;
    let at = inbox.head().position;
    let change = log.add(
        &NotificationId::new("new").unwrap(),
        &InternalNotification::new("c"),
        "key:t",
        Timestamp::from_second(9).unwrap(),
        Tag::from_bits(77),
    );
    inbox.on_live(LiveEvent::Change(change.unwrap()));
    let events = inbox.on_changes(at, log.changes(at, 500, 3));
    assert_eq!(events[0], InboxEvent::Replaced(Some(ResetReason::Diverged)));
    assert_eq!(announced(&events), ["new"]);
    assert_eq!(ids(&inbox), ["new", "first"]);
}

#[test]
fn older_notifications_are_requested_until_all_are_there() {
    let mut log = InboxLog::new();
    (0..9).for_each(|n| drop(push(&mut log, &format!("n{n}"))));
    let mut inbox = Inbox::new(3);
    inbox.on_snapshot(log.page(3, None));
    assert_eq!(inbox.load_older(4), Ok(4));
    let before = inbox.low();
    inbox.on_older(inbox.head().position, before, log.page(2, Some(before)));
    assert_eq!(inbox.next_query(), Some(InboxQuery::Older { before: inbox.low(), limit: 2 }));
    inbox.cancel_older(4);
    assert_eq!((ids(&inbox).len(), inbox.next_query()), (5, None));
    assert_eq!(inbox.load_older(9), Ok(9));
    let before = inbox.low();
    inbox.on_older(inbox.head().position, before, log.page(9, Some(before)));
    assert_eq!((ids(&inbox).len(), inbox.low()), (9, 0));
    assert_eq!(inbox.load_older(usize::MAX), Ok(0));
}

#[test]
fn answered_writes_make_room_up_to_a_bound() {
    let (log, mut inbox) = started();
    let head = Head::new(Position { seq: 9, tag: None }, log.head().pending);
    let mut taken = 0;
    let mut write = |inbox: &mut Inbox, is_answered: bool| {
        let op = OpId::new(format!("op{taken}")).unwrap();
        let command = InboxCommand::Opened(vec![NotificationId::new("first").unwrap()]);
        let written = inbox.write(op.clone(), command, Timestamp::UNIX_EPOCH);
        taken += usize::from(written.is_ok());
        if is_answered {
            inbox.on_written(&op, inbox.head().position, head);
        }
        written.is_ok()
    };
    assert!((0..500).all(|_| write(&mut inbox, true)));
    assert!((0..500).all(|_| write(&mut inbox, false)));
    assert!(!write(&mut inbox, false), "too many wait for the server");
    assert_eq!((inbox.unanswered_writes(), inbox.pending_writes()), (500, 1_000));

    let (_, mut inbox) = started();
    while write(&mut inbox, true) {}
    assert_eq!((inbox.unanswered_writes(), inbox.pending_writes()), (0, 5_000));
}

#[test]
fn a_write_that_is_sent_again_remembers_its_first_answer() {
    let (mut log, mut inbox) = started();
    let (op, at) = (OpId::new("op").unwrap(), Timestamp::UNIX_EPOCH);
    let command = InboxCommand::Opened(vec![NotificationId::new("first").unwrap()]);
    inbox.write(op.clone(), command, at).unwrap();
    let state = |inbox: &Inbox| {
        let write = inbox.pending_write(&op);
        write.map(|write| (write.is_answered(), write.was_answered()))
    };
    assert_eq!(state(&inbox), Some((false, false)));
    assert!(inbox.pending_write(&OpId::new("other").unwrap()).is_none());

    let asked_at = inbox.head().position;
    let lost = Head::new(Position { seq: 2, tag: Some(Tag::from_bits(99)) }, 0);
    inbox.on_written(&op, asked_at, lost);
    assert_eq!((state(&inbox), inbox.next_write()), (Some((true, true)), None));

    inbox.on_changes(asked_at, log.changes(asked_at, 500, 3));
    assert_eq!(state(&inbox), Some((false, true)), "the answer came from a history that is lost");
    let again = inbox.next_write().unwrap();
    assert_eq!((&again.op, again.was_answered), (&op, true));

    let done = log.write(&again.command, Some(&op), at, Tag::from_bits(2));
    inbox.on_written(&op, asked_at, done.unwrap().head);
    inbox.on_changes(asked_at, log.changes(asked_at, 500, 3));
    assert_eq!((state(&inbox), inbox.pending_writes(), inbox.head()), (None, 0, log.head()));
}

#[test]
fn marks_that_wait_are_sent_in_one_request_and_repeated_in_the_same_one() {
    let (_, mut inbox) = started();
    let op = |name: &str| OpId::new(name).unwrap();
    let ids = |range: std::ops::Range<usize>| -> Vec<_> {
        range.map(|n| NotificationId::new(format!("n{n}")).unwrap()).collect()
    };
    let write = |inbox: &mut Inbox, name: &str, command| {
        inbox.write(op(name), command, Timestamp::UNIX_EPOCH).unwrap();
    };
    write(&mut inbox, "w1", InboxCommand::Opened(ids(0..300)));
    write(&mut inbox, "w2", InboxCommand::Opened(ids(200..500)));
    let first = inbox.next_write().unwrap();
    assert_eq!((&first.op, &first.ops), (&op("w1"), &vec![op("w1"), op("w2")]));
    assert_eq!(first.command, InboxCommand::Opened(ids(0..500)));

    write(&mut inbox, "w3", InboxCommand::Opened(ids(0..1)));
    write(&mut inbox, "w4", InboxCommand::Opened(ids(500..501)));
    write(&mut inbox, "w5", InboxCommand::Unopened(ids(0..1)));
    write(&mut inbox, "w6", InboxCommand::Remove(ids(0..1).remove(0)));
    assert_eq!(inbox.next_write(), Some(first), "a request that was sent stays as it was");

    let answer = Head::new(Position { seq: 9, tag: None }, 0);
    inbox.on_written(&op("w1"), inbox.head().position, answer);
    assert!(["w1", "w2"].iter().all(|name| inbox.pending_write(&op(name)).unwrap().is_answered()));
    assert_eq!(inbox.next_write().unwrap().ops, [op("w3"), op("w4")]);
    let rolled_back: Vec<_> = inbox
        .on_refused(&op("w3"))
        .into_iter()
        .map(|event| match event {
            InboxEvent::RolledBack(write) => (write.op, write.command),
            other => panic!("{other:?}"),
        })
        .collect();
    let marks = [("w3", ids(0..1)), ("w4", ids(500..501))];
    assert_eq!(rolled_back, marks.map(|(name, ids)| (op(name), InboxCommand::Opened(ids))));
    for alone in ["w5", "w6"] {
        assert_eq!(inbox.next_write().unwrap().ops, [op(alone)]);
        inbox.on_written(&op(alone), inbox.head().position, answer);
    }
    assert_eq!(inbox.next_write(), None);
}

#[test]
fn a_window_holds_at_least_one_notification() {
    let mut log = InboxLog::new();
    ["first", "second"].iter().for_each(|id| drop(push(&mut log, id)));
    let mut inbox = Inbox::new(0);
    assert!(!inbox.is_loaded());
    inbox.on_snapshot(log.page(200, None));
    assert!(inbox.is_loaded());
    assert_eq!((ids(&inbox), inbox.low()), (vec!["second"], 2));
}

#[test]
fn a_snapshot_shows_the_inbox_as_it_is() {
    let mut log = InboxLog::new();
    (0..4).for_each(|n| drop(push(&mut log, &format!("n{n}"))));
    let mut inbox = Inbox::new(3);
    inbox.on_snapshot(log.page(3, None));
    let command = InboxCommand::Remove(NotificationId::new("n3").unwrap());
    inbox.write(OpId::new("op").unwrap(), command, Timestamp::UNIX_EPOCH).unwrap();
    let snapshot = inbox.snapshot(Status::Live);
    assert_eq!(snapshot.notifications.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["n2", "n1"]);
    assert_eq!((snapshot.pending, snapshot.position), (4, log.head().position));
    assert_eq!((snapshot.has_older, snapshot.unconfirmed, snapshot.status), (true, 1, Status::Live));
    let mut whole = Inbox::new(9);
    whole.on_snapshot(log.page(9, None));
    assert!(!whole.snapshot(Status::Live).has_older);
}
