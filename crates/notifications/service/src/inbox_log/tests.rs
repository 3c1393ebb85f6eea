use internal_notifications_models::{ChangesAnswer, Position, ResetReason};

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
        assert_eq!(write(&mut log, command, None), Ok(WriteAnswer::new(None, before)));
    }
    assert!(
        log.add(&id("a"), &InternalNotification::new("c"), "key:t", Timestamp::UNIX_EPOCH, Tag::from_bits(9))
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
fn a_removed_notification_is_sent_as_gone_and_never_added_again() {
    let mut log = log(&["a", "b"]);
    write(&mut log, InboxCommand::Remove(id("a")), None).unwrap();
    assert!(
        log.add(&id("a"), &InternalNotification::new("c"), "key:t", Timestamp::UNIX_EPOCH, Tag::from_bits(9))
            .is_none()
    );
    let ChangesAnswer::Changes { changes, more, .. } = log.changes(Position::default(), 10, 10) else {
        panic!()
    };
    assert!(!more);
    assert_eq!(changes[0].kind, ChangeKind::Gone { id: id("a") });
    assert_eq!(changes.len(), 3);
}

#[test]
fn a_catch_up_returns_every_change_or_resets() {
    let mut log = log(&["a", "b", "c", "d"]);
    log.trim(2);
    let answer = |seq, tag: Option<u64>| {
        let after = Position { seq, tag: tag.map(Tag::from_bits) };
        match log.changes(after, 1, 10) {
            ChangesAnswer::Changes { changes, more, .. } => Err((changes.len(), more)),
            ChangesAnswer::Reset { reason, .. } => Ok(reason),
        }
    };
    assert_eq!(answer(1, Some(0)), Ok(ResetReason::Trimmed));
    assert_eq!(answer(0, None), Ok(ResetReason::Trimmed));
    assert_eq!(answer(2, Some(1)), Err((1, true)));
    assert_eq!(answer(2, Some(9)), Ok(ResetReason::Diverged));
    assert_eq!(answer(3, Some(2)), Err((1, false)));
    assert_eq!(answer(4, Some(3)), Err((0, false)));
    assert_eq!(answer(4, Some(2)), Ok(ResetReason::Diverged));
    assert_eq!(answer(4, None), Ok(ResetReason::Diverged));
    assert_eq!(answer(5, Some(3)), Ok(ResetReason::Diverged));
    assert_eq!(answer(u64::MAX, Some(3)), Ok(ResetReason::Diverged));
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

#[test]
fn the_server_removes_several_by_one_change() {
    let mut log = log(&["a", "b", "c", "d"]);
    write(&mut log, InboxCommand::Opened(vec![id("b")]), None).unwrap();
    let mut withdraw = |ids: &[&str]| {
        let ids: Vec<_> = ids.iter().map(|name| id(name)).collect();
        let change = log.withdraw(&ids, RemovedReason::Expired, Timestamp::UNIX_EPOCH, Tag::from_bits(50));
        (change, log.head())
    };
    let (change, head) = withdraw(&["d", "zzz", "b", "d"]);
    let change = change.unwrap();
    let ids = vec![id("d"), id("b")];
    assert_eq!(change.kind, ChangeKind::Removed { ids, reason: RemovedReason::Expired });
    assert_eq!((change.stamp.position(), change.stamp.pending), (head.position, 2));
    assert_eq!(withdraw(&["d", "zzz"]), (None, head));
    assert!(log.was_added(&id("d")) && !log.was_added(&id("zzz")));
    assert_eq!(log.notification(&id("d")), None);
    assert_eq!(log.rows().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["a", "c"]);
}

#[test]
fn one_change_removes_no_more_than_it_can_list() {
    let names: Vec<_> = (0..=MAX_IDS).map(|n| format!("n{n}")).collect();
    let mut log = log(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let ids: Vec<_> = names.iter().map(|name| id(name)).collect();
    let mut sizes = Vec::new();
    while let Some(change) =
        log.withdraw(&ids, RemovedReason::Pruned, Timestamp::UNIX_EPOCH, Tag::from_bits(1_000))
    {
        let ChangeKind::Removed { ids, .. } = change.kind else { panic!() };
        sizes.push((ids.len(), change.stamp.pending));
    }
    assert_eq!(sizes, [(MAX_IDS, 1), (1, 0)]);
}

#[test]
fn the_records_after_a_seq_are_those_of_a_catch_up() {
    let mut log = log(&["a", "b"]);
    log.withdraw(&[id("b")], RemovedReason::Retracted, Timestamp::UNIX_EPOCH, Tag::from_bits(9)).unwrap();
    let kinds: Vec<_> = log.records(1).map(|change| change.kind).collect();
    let removed = ChangeKind::Removed { ids: vec![id("b")], reason: RemovedReason::Retracted };
    assert_eq!(kinds, [ChangeKind::Gone { id: id("b") }, removed]);
    log.trim(2);
    assert_eq!(log.records(0).map(|change| change.stamp.seq).collect::<Vec<_>>(), [3]);
    assert_eq!(log.records(3).count(), 0);
}

#[test]
fn trimming_forgets_the_operations_of_the_forgotten_changes() {
    let mut log = log(&["a", "b", "c"]);
    assert_eq!(write(&mut log, InboxCommand::Opened(vec![id("a")]), Some("1")).unwrap().seq, Some(4));
    assert_eq!(write(&mut log, InboxCommand::Opened(vec![id("b")]), Some("2")).unwrap().seq, Some(5));
    log.trim(4);
    assert_eq!((log.floor(), log.ops.len()), (4, 1));
    assert_eq!(write(&mut log, InboxCommand::Unopened(vec![id("a")]), Some("1")).unwrap().seq, Some(6));
    assert_eq!(write(&mut log, InboxCommand::Unopened(vec![id("b")]), Some("2")).unwrap().seq, None);
}

#[test]
fn marking_counts_each_notification_once() {
    let mut log = log(&["a", "b", "c"]);
    let answer = write(&mut log, InboxCommand::Opened(vec![id("a"), id("c"), id("a")]), None).unwrap();
    assert_eq!((answer.seq, answer.head.pending), (Some(4), 1));
    let kind = log.records(3).next().map(|change| change.kind);
    assert_eq!(kind, Some(ChangeKind::Opened { ids: vec![id("a"), id("c")] }));
    let answer = write(&mut log, InboxCommand::Unopened(vec![id("b"), id("c")]), None).unwrap();
    assert_eq!((answer.seq, answer.head.pending), (Some(5), 2));
    let all = InboxCommand::OpenedAll { through: None, tag: None };
    assert_eq!(write(&mut log, all, None).unwrap().head.pending, 0);
}

#[test]
fn a_forgotten_notification_may_be_added_again() {
    let mut log = log(&["a", "b", "c"]);
    for name in ["a", "b"] {
        write(&mut log, InboxCommand::Remove(id(name)), None).unwrap();
    }
    let add = |log: &mut InboxLog, name: &str| {
        let notification = InternalNotification::new("c");
        log.add(&id(name), &notification, "key:t", Timestamp::UNIX_EPOCH, Tag::from_bits(50)).is_some()
    };
    log.forget(&id("c"));
    log.forget(&id("a"));
    assert!(add(&mut log, "a") && !add(&mut log, "b") && !add(&mut log, "c"));
    log.forget_removed();
    assert!(add(&mut log, "b") && !add(&mut log, "c"));
}

#[test]
fn a_client_that_is_too_far_behind_is_reset() {
    let mut log = InboxLog::new();
    let notification = InternalNotification::new("c");
    for number in 0..=InboxLog::FAR_BEHIND {
        let tag = Tag::from_bits(number);
        log.add(&id(&format!("n{number}")), &notification, "key:t", Timestamp::UNIX_EPOCH, tag);
    }
    let after = |seq: u64| Position { seq, tag: seq.checked_sub(1).map(Tag::from_bits) };
    assert!(matches!(log.changes(after(1), 1, 1), ChangesAnswer::Changes { more: true, .. }));
    let answer = log.changes(after(0), 1, 1);
    let ChangesAnswer::Reset { reason, snapshot, .. } = answer else { panic!("{answer:?}") };
    assert_eq!((reason, snapshot.notifications.len()), (ResetReason::Behind, 1));
}
