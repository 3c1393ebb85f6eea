use internal_notifications_models::{ChangeKind, Head, RemovedReason, Tag};
use internal_notifications_store::{InboxCommand, StoreErrorKind};

use crate::backend::Backend;
use crate::fixture::{Fixture, at, id, ids, user};

async fn fixture_with(on: Backend, names: &[&str]) -> Fixture {
    let fixture = Fixture::new(on).await;
    for name in names {
        fixture.push(name, &["ada", "bob"]).await;
    }
    fixture
}

async fn opened_names_each_opened_id_once_in_request_order(on: Backend) {
    let fixture = fixture_with(on, &["a", "b", "c"]).await;
    fixture.write("ada", InboxCommand::Opened(ids(&["b"]))).await.unwrap();
    let answer = fixture.write("ada", InboxCommand::Opened(ids(&["c", "zzz", "b", "a", "c"]))).await.unwrap();
    assert_eq!((answer.seq, answer.head.pending), (Some(5), 0));
    assert_eq!(fixture.log("ada").await[4].kind, ChangeKind::Opened { ids: ids(&["c", "a"]) });
    let row = fixture.store.notification(&user("ada"), &id("c")).await.unwrap().unwrap();
    assert_eq!((row.opened, row.opened_at), (true, Some(at(50))));
    assert!(!fixture.store.notification(&user("bob"), &id("c")).await.unwrap().unwrap().opened);
}

async fn unopening_a_notification_makes_it_pending_again(on: Backend) {
    let fixture = fixture_with(on, &["a", "b"]).await;
    fixture.write("ada", InboxCommand::OpenedAll { through: None, tag: None }).await.unwrap();
    let answer = fixture.write("ada", InboxCommand::Unopened(ids(&["b", "zzz"]))).await.unwrap();
    assert_eq!((answer.seq, answer.head.pending), (Some(4), 1));
    assert_eq!(fixture.log("ada").await[3].kind, ChangeKind::Unopened { ids: ids(&["b"]) });
    let row = fixture.store.notification(&user("ada"), &id("b")).await.unwrap().unwrap();
    assert_eq!((row.opened, row.opened_at), (false, None));
}

async fn a_write_that_changes_nothing_takes_no_seq(on: Backend) {
    let fixture = fixture_with(on, &["a"]).await;
    let head = fixture.store.head(&user("ada")).await.unwrap();
    for kind in [
        InboxCommand::Opened(ids(&["zzz"])),
        InboxCommand::Opened(vec![]),
        InboxCommand::Unopened(ids(&["a"])),
        InboxCommand::OpenedAll { through: Some(0), tag: None },
    ] {
        let answer = fixture.write("ada", kind).await.unwrap();
        assert_eq!((answer.seq, answer.head), (None, head));
    }
    let answer = fixture.write("new", InboxCommand::OpenedAll { through: None, tag: None }).await.unwrap();
    assert_eq!((answer.seq, answer.head), (None, Head::default()));
}

async fn opened_all_opens_only_what_the_user_saw(on: Backend) {
    let fixture = fixture_with(on, &["a", "b", "c"]).await;
    let tag = fixture.log("ada").await[1].stamp.tag;
    let answer =
        fixture.write("ada", InboxCommand::OpenedAll { through: Some(2), tag: Some(tag) }).await.unwrap();
    assert_eq!((answer.seq, answer.head.pending), (Some(4), 1));
    assert_eq!(fixture.log("ada").await[3].kind, ChangeKind::OpenedAll { through: 2 });
    let answer = fixture.write("ada", InboxCommand::OpenedAll { through: None, tag: None }).await.unwrap();
    assert_eq!((answer.seq, answer.head.pending), (Some(5), 0));
    assert_eq!(fixture.log("ada").await[4].kind, ChangeKind::OpenedAll { through: 4 });
}

async fn opened_all_of_another_history_is_rejected_with_the_head(on: Backend) {
    let fixture = fixture_with(on, &["a", "b"]).await;
    let head = fixture.store.head(&user("ada")).await.unwrap();
    let other = Some(Tag::from_bits(7));
    for (through, tag) in
        [(Some(1), other), (Some(0), other), (Some(3), None), (Some(u64::MAX), None), (Some(u64::MAX), other)]
    {
        let error = fixture.write("ada", InboxCommand::OpenedAll { through, tag }).await.unwrap_err();
        assert_eq!((error.kind(), error.head()), (StoreErrorKind::Diverged, Some(head)), "{through:?}");
    }
    let error =
        fixture.write("new", InboxCommand::OpenedAll { through: Some(1), tag: None }).await.unwrap_err();
    assert_eq!((error.kind(), error.head()), (StoreErrorKind::Diverged, Some(Head::default())));
    assert_eq!(fixture.log("ada").await.len(), 2);
}

async fn opened_all_is_rejected_if_the_log_no_longer_has_the_tag(on: Backend) {
    let fixture = fixture_with(on, &["a", "b", "c"]).await;
    let tags: Vec<_> = fixture.log("ada").await.iter().map(|change| Some(change.stamp.tag)).collect();
    assert_eq!(fixture.cut_logs(1).await.trimmed, 4, "two changes of each inbox");
    let opened_all =
        |through, tag| fixture.write("ada", InboxCommand::OpenedAll { through: Some(through), tag });
    for (through, tag) in [(1, tags[0]), (2, tags[0])] {
        let error = opened_all(through, tag).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Diverged, "{through}");
    }
    let answer = opened_all(2, tags[1]).await.unwrap();
    assert_eq!(answer.head.pending, 1, "the record after a trimmed one has its tag");
}

async fn opened_all_works_after_the_whole_log_was_trimmed(on: Backend) {
    let fixture = fixture_with(on, &["a", "b"]).await;
    let head = fixture.store.head(&user("ada")).await.unwrap().position;
    assert_eq!(fixture.cut_logs(0).await.trimmed, 4, "all changes of both inboxes");
    let opened_all = |tag| fixture.write("ada", InboxCommand::OpenedAll { through: Some(head.seq), tag });
    assert_eq!(opened_all(Some(Tag::from_bits(7))).await.unwrap_err().kind(), StoreErrorKind::Diverged);
    assert_eq!(opened_all(head.tag).await.unwrap().head.pending, 0);
}

async fn removing_a_notification_updates_the_inbox_and_the_count(on: Backend) {
    let fixture = fixture_with(on, &["a", "b"]).await;
    fixture.write("ada", InboxCommand::Opened(ids(&["a"]))).await.unwrap();
    assert_eq!(fixture.write("ada", InboxCommand::Remove(id("a"))).await.unwrap().head.pending, 1);
    assert_eq!(fixture.write("ada", InboxCommand::Remove(id("b"))).await.unwrap().head.pending, 0);
    let log = fixture.log("ada").await;
    assert_eq!(log[0].kind, ChangeKind::Gone { id: id("a") });
    assert_eq!(log[3].kind, ChangeKind::Removed { ids: ids(&["a"]), reason: RemovedReason::User });
    assert!(fixture.ids("ada").await.is_empty());
    assert_eq!(fixture.store.notification(&user("ada"), &id("a")).await.unwrap(), None);
    assert_eq!(fixture.write("ada", InboxCommand::Unopened(ids(&["a"]))).await.unwrap().seq, None);
    assert_eq!(fixture.ids("bob").await, ["b", "a"]);
}

async fn removing_a_missing_notification_is_rejected_with_the_head(on: Backend) {
    let fixture = fixture_with(on, &["a"]).await;
    fixture.push("other", &["eve"]).await;
    fixture.write("ada", InboxCommand::Remove(id("a"))).await.unwrap();
    let head = fixture.store.head(&user("ada")).await.unwrap();
    for name in ["a", "other", "zzz"] {
        let error = fixture.write("ada", InboxCommand::Remove(id(name))).await.unwrap_err();
        assert_eq!((error.kind(), error.head()), (StoreErrorKind::NotFound, Some(head)), "{name}");
    }
    let error = fixture.write("new", InboxCommand::Remove(id("a"))).await.unwrap_err();
    assert_eq!((error.kind(), error.head()), (StoreErrorKind::NotFound, Some(Head::default())));
}

async fn a_repeated_op_does_nothing_and_returns_the_head(on: Backend) {
    let fixture = fixture_with(on, &["a", "b"]).await;
    let first = fixture.write_as("ada", "1", InboxCommand::Remove(id("a"))).await.unwrap();
    assert_eq!(first.seq, Some(3));
    for kind in
        [InboxCommand::Remove(id("a")), InboxCommand::Remove(id("b")), InboxCommand::Opened(ids(&["b"]))]
    {
        let answer = fixture.write_as("ada", "1", kind).await.unwrap();
        assert_eq!((answer.seq, answer.head), (None, first.head));
    }
    assert_eq!(fixture.write_as("bob", "1", InboxCommand::Remove(id("a"))).await.unwrap().seq, Some(3));
    let error = fixture.write_as("ada", "2", InboxCommand::Remove(id("a"))).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotFound);
}

async fn an_op_that_made_no_change_may_make_one_later(on: Backend) {
    let fixture = fixture_with(on, &[]).await;
    assert_eq!(fixture.write_as("ada", "1", InboxCommand::Opened(ids(&["a"]))).await.unwrap().seq, None);
    fixture.push("a", &["ada"]).await;
    assert_eq!(fixture.write_as("ada", "1", InboxCommand::Opened(ids(&["a"]))).await.unwrap().seq, Some(2));
}

on_every_store!(
    opened_names_each_opened_id_once_in_request_order,
    unopening_a_notification_makes_it_pending_again,
    a_write_that_changes_nothing_takes_no_seq,
    opened_all_opens_only_what_the_user_saw,
    opened_all_of_another_history_is_rejected_with_the_head,
    opened_all_is_rejected_if_the_log_no_longer_has_the_tag,
    opened_all_works_after_the_whole_log_was_trimmed,
    removing_a_notification_updates_the_inbox_and_the_count,
    removing_a_missing_notification_is_rejected_with_the_head,
    a_repeated_op_does_nothing_and_returns_the_head,
    an_op_that_made_no_change_may_make_one_later
);
