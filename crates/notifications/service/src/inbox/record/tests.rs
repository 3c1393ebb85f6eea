use internal_notifications_models::{
    Change, ChangeKind, ChangesAnswer, InboxPage, InternalNotification, LiveEvent, OpId, Stamp, Tag,
    Timestamp,
};
use serde_json::{Value, json};

use super::*;
use crate::{Announcement, InboxCommand, InboxEvent, InboxQuery, ServiceError, ServiceErrorKind};

/// What a restart takes from a replica, without a record in between.
impl Inbox {
    pub(in crate::inbox) fn disconnect(&mut self) {
        self.history.restart(self.head.position);
        self.recent_changes.restart(self.head.position);
        self.early_page = None;
        let catch_up = self.catch_up.take().unwrap_or_default();
        let snapshot = catch_up.needs_snapshot().then(|| catch_up.reason());
        self.catch_up = Some(CatchUp::restored(catch_up.gone_so_far().clone(), snapshot));
    }
}

fn row(number: u64) -> InboxNotification {
    let pushed = r#"{"content":"c","payload":{"amount":1.50},"color":"red"}"#;
    let notification: InternalNotification = serde_json::from_str(pushed).unwrap();
    let id = NotificationId::new(format!("n{number}")).unwrap();
    InboxNotification::new(id, notification, "key:t", Timestamp::UNIX_EPOCH, number)
}

fn position(seq: u64) -> Position {
    Position { seq, tag: (seq > 0).then(|| Tag::from_bits(seq)) }
}

fn added(number: u64) -> Change {
    let stamp = Stamp::after(position(number - 1), Tag::from_bits(number), number, Timestamp::UNIX_EPOCH);
    Change::new(stamp, ChangeKind::Added { notification: Box::new(row(number)) })
}

fn page(numbers: std::ops::RangeInclusive<u64>) -> InboxPage {
    let head = Head::new(position(*numbers.end()), *numbers.end());
    InboxPage::new(head, numbers.rev().map(row).collect(), None)
}

/// A replica with the first two notifications, the second of which it announced.
fn inbox() -> Inbox {
    let mut inbox = Inbox::new(3);
    inbox.on_snapshot(page(1..=1));
    let events = inbox.on_live(LiveEvent::Change(added(2)));
    assert_eq!(announced(&events), ["n2"]);
    inbox
}

fn announced(events: &[InboxEvent]) -> Vec<&str> {
    let ids = events.iter().filter_map(|event| match event {
        InboxEvent::Announce(Announcement::Notification(row)) => Some(row.id.as_str()),
        _ => None,
    });
    ids.collect()
}

fn shown(inbox: &Inbox) -> Vec<String> {
    inbox.shown().iter().map(|row| row.id.to_string()).collect()
}

fn op(name: &str) -> OpId {
    OpId::new(name).unwrap()
}

fn open(inbox: &mut Inbox, name: &str, number: u64) {
    let command = InboxCommand::Opened(vec![row(number).id]);
    inbox.write(op(name), command, Timestamp::UNIX_EPOCH).unwrap();
}

fn restored(inbox: &Inbox) -> Inbox {
    Inbox::restore(&inbox.save(), 3).unwrap()
}

/// The record of an inbox, changed.
fn changed(inbox: &Inbox, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut record = serde_json::from_slice(&inbox.save()).unwrap();
    change(&mut record);
    serde_json::to_vec(&record).unwrap()
}

#[test]
fn a_restored_inbox_shows_what_it_showed_and_catches_up_from_its_position() {
    let mut before = inbox();
    open(&mut before, "o", 1);
    let mut after = restored(&before);
    assert_eq!((after.shown(), after.head(), after.low()), (before.shown(), before.head(), 0));
    assert_eq!(after.next_query(), Some(InboxQuery::Changes { after: position(2) }));
    assert_eq!(after.pending_write(&op("o")), before.pending_write(&op("o")));
    assert_eq!(after.pending_write(&op("o")).unwrap().position, position(2));
    let events = after.on_changes(position(2), ChangesAnswer::changes(vec![added(3)], false));
    assert_eq!((announced(&events), after.next_query()), (vec!["n3"], None));
}

#[test]
fn a_number_in_a_payload_is_kept_to_the_digit() {
    let record = String::from_utf8(inbox().save()).unwrap();
    assert!(record.contains(r#""payload":{"amount":1.50}"#), "{record}");
    let again = String::from_utf8(restored(&inbox()).save()).unwrap();
    assert!(again.contains(r#""payload":{"amount":1.50}"#), "{again}");
}

#[test]
fn a_catch_up_under_way_announces_its_first_half_after_a_restart() {
    let mut inbox = inbox();
    inbox.catch_up();
    let gone = Change::new(added(4).stamp, ChangeKind::Gone { id: row(4).id });
    let answer = ChangesAnswer::changes(vec![added(3), gone], true);
    assert_eq!(announced(&inbox.on_changes(position(2), answer)), Vec::<&str>::new());
    let mut inbox = restored(&inbox);
    let answer = ChangesAnswer::changes(vec![added(5)], false);
    inbox.on_changes(position(4), answer);
    assert_eq!(inbox.next_query(), Some(InboxQuery::Snapshot), "the removal of n4 never came");
    let mut page = page(1..=5);
    page.notifications.retain(|row| row.added != 4);
    assert_eq!(announced(&inbox.on_snapshot(page)), ["n3", "n5"]);
}

#[test]
fn an_inbox_without_a_first_snapshot_restores_as_such() {
    let mut inbox = Inbox::new(3);
    open(&mut inbox, "o", 7);
    let mut inbox = restored(&inbox);
    assert!(!inbox.is_loaded() && inbox.pending_write(&op("o")).is_some());
    assert_eq!(inbox.next_query(), Some(InboxQuery::Snapshot));
    let events = inbox.on_snapshot(page(1..=2));
    assert_eq!(events, [InboxEvent::Replaced(None)]);
}

#[test]
fn a_refusal_is_restored_until_the_app_was_told() {
    let mut inbox = inbox();
    open(&mut inbox, "o", 1);
    let error = ServiceError::new(ServiceErrorKind::Forbidden, "no");
    for event in inbox.on_refused(&op("o")) {
        let InboxEvent::RolledBack(write) = event else { panic!("{event:?}") };
        inbox.remember_refusal(Arc::new(RefusedWrite::new(write.command, error.clone())));
    }
    let mut inbox = restored(&inbox);
    assert_eq!((inbox.pending_writes(), inbox.next_write()), (0, None));
    let command = InboxCommand::Opened(vec![row(1).id]);
    assert_eq!(inbox.refusals(), [Arc::new(RefusedWrite::new(command, error))]);
    inbox.forget_refusals();
    assert!(restored(&inbox).refusals().is_empty());
}

#[test]
fn a_smaller_window_keeps_the_newest() {
    let inbox = Inbox::restore(&inbox().save(), 1).unwrap();
    assert_eq!((shown(&inbox), inbox.low()), (vec!["n2".to_owned()], 2));
}

#[test]
fn a_newer_format_is_refused() {
    let newer = br#"{"format":2,"what":"ever"}"#;
    assert!(matches!(Inbox::restore(newer, 3), Err(InvalidRecord::Newer(2))));
}

#[test]
fn bytes_that_are_no_record_are_unreadable() {
    let whole = inbox().save();
    let no_rows = changed(&inbox(), |record| drop(record["replica"].as_object_mut().unwrap().remove("rows")));
    for bytes in [b"".as_slice(), b"{}", b"null", &whole[..whole.len() - 1], &no_rows] {
        assert!(matches!(Inbox::restore(bytes, 3), Err(InvalidRecord::Unreadable(_))));
    }
}

#[test]
fn of_an_older_format_all_but_the_notifications_is_taken() {
    let mut inbox = inbox();
    open(&mut inbox, "o", 1);
    let older = changed(&inbox, |record| {
        record["format"] = json!(0);
        record["replica"] = json!({"of": "another form"});
    });
    let mut inbox = Inbox::restore(&older, 3).unwrap();
    assert_eq!((shown(&inbox).len(), inbox.head().position), (0, position(2)));
    assert_eq!(inbox.next_write().map(|write| write.op.clone()), Some(op("o")));
    // It waits for the snapshot across further restarts.
    inbox = restored(&inbox);
    assert_eq!(inbox.next_query(), Some(InboxQuery::Snapshot));
    let events = inbox.on_snapshot(page(1..=3));
    assert_eq!(events.first(), Some(&InboxEvent::Replaced(Some(ResetReason::Diverged))));
    assert_eq!(announced(&events), ["n3"], "the others were seen or announced before");
}

#[test]
fn an_older_record_without_a_first_snapshot_announces_nothing_of_it() {
    let older = changed(&Inbox::new(3), |record| {
        record["format"] = json!(0);
        record["replica"] = Value::Null;
    });
    let mut inbox = Inbox::restore(&older, 3).unwrap();
    assert_eq!(inbox.on_snapshot(page(1..=3)), [InboxEvent::Replaced(None)]);
}
