use internal_notifications_models::{ChangeKind, RemovedReason, Timestamp};
use internal_notifications_store::{Advanced, InboxCommand, Push, StoreErrorKind};

use crate::backend::Backend;
use crate::fixture::{Fixture, at, id, ids, push, push_at, user};

/// Returns a push at second 0 that expires.
fn until(name: &str, users: &[&str], expires_at: Timestamp) -> Push {
    let mut push = push(name, users);
    push.notification.expires_at = Some(expires_at);
    push
}

fn withdrawn(inboxes: u64) -> Advanced {
    let mut advanced = Advanced::default();
    advanced.withdrawn = inboxes;
    advanced
}

/// Returns the same, with more to do.
fn and_more(mut advanced: Advanced) -> Advanced {
    advanced.has_more = true;
    advanced
}

async fn an_expired_notification_is_rejected_and_leaves_no_trace(on: Backend) {
    let fixture = Fixture::new(on).await;
    for expires_at in [at(0), at(-1)] {
        let error = fixture.store.push(until("n", &["ada"], expires_at)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Expired);
    }
    assert_eq!(fixture.store.retract(&id("n"), at(1)).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert_eq!(fixture.push("n", &["ada"]).await.accepted, 1, "the id can still be used");
}

async fn an_expired_notification_is_removed_from_every_inbox_by_a_change(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.store.push(until("n", &["ada", "bob", "eve"], at(10))).await.unwrap();
    fixture.write("ada", InboxCommand::Opened(vec![id("n")])).await.unwrap();
    fixture.write("eve", InboxCommand::Remove(id("n"))).await.unwrap();
    assert!(fixture.store.advance("2023-11-14T22:13:29.999Z".parse().unwrap(), 10).await.unwrap().is_idle());
    assert_eq!(fixture.ids("ada").await, ["n"]);
    assert_eq!(fixture.store.advance(at(12), 10).await.unwrap(), and_more(withdrawn(2)));
    for (name, before) in [("ada", 2), ("bob", 1)] {
        let log = fixture.log(name).await;
        let left = ChangeKind::Removed { ids: ids(&["n"]), reason: RemovedReason::Expired };
        assert_eq!(
            (log.len(), &log[before].kind, log[before].stamp.at),
            (before + 1, &left, at(12)),
            "{name}"
        );
        assert_eq!(log[0].kind, ChangeKind::Gone { id: id("n") });
        assert_eq!((fixture.pending(name).await, fixture.ids(name).await.len()), (0, 0));
        assert_eq!(fixture.store.notification(&user(name), &id("n")).await.unwrap(), None);
    }
    assert_eq!(fixture.log("eve").await.len(), 2);
    assert!(fixture.store.advance(at(1_000), 10).await.unwrap().is_idle());
}

async fn a_notification_that_expires_before_it_is_due_is_never_delivered(on: Backend) {
    let fixture = Fixture::new(on).await;
    let mut both = until("n", &["ada"], at(20));
    both.notification.send_after = Some(at(10));
    assert_eq!(fixture.store.push(both.clone()).await.unwrap().scheduled, 1);
    let done = fixture.store.advance(at(20), 1).await.unwrap();
    assert_eq!((done.delivered, done.withdrawn, done.expired), (0, 0, 1));
    assert!(fixture.store.advance(at(20), 1).await.unwrap().is_idle());
    both.at = at(21);
    assert_eq!(fixture.store.push(both).await.unwrap().duplicates, 1);
    assert!(fixture.advance(at(30), 1).await.is_idle());
    assert!(fixture.log("ada").await.is_empty());
}

async fn a_repeated_push_after_expiry_delivers_nothing(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.store.push(until("n", &["ada"], at(10))).await.unwrap();
    let again = |seconds| push_at(at(seconds), until("n", &["ada", "new"], at(10)));
    assert_eq!(fixture.store.push(again(10)).await.unwrap().duplicates, 2, "expired, but still in an inbox");
    assert_eq!(fixture.advance(at(11), 10).await, withdrawn(1));
    assert_eq!(fixture.store.push(again(12)).await.unwrap().duplicates, 2);
    // By another server's clock, it may not have expired yet.
    assert_eq!(fixture.store.push(again(9)).await.unwrap().duplicates, 2);
    assert!(fixture.ids("ada").await.is_empty() && fixture.log("new").await.is_empty());
}

async fn expiry_continues_where_a_limit_stopped_it(on: Backend) {
    let mut fixture = Fixture::new(on).await;
    let names = ["u1", "u2", "u3", "u4", "u5"];
    fixture.store.push(until("n", &names, at(10))).await.unwrap();
    assert_eq!(fixture.store.advance(at(10), 2).await.unwrap(), and_more(withdrawn(2)));
    let left = futures_util::future::join_all(names.iter().map(|name| fixture.pending(name))).await;
    assert_eq!(left.iter().sum::<u64>(), 3);
    fixture.reopen().await;
    assert_eq!(fixture.advance(at(11), 2).await, withdrawn(3));
    for name in names {
        assert_eq!((fixture.log(name).await.len(), fixture.pending(name).await), (2, 0), "{name}");
    }
}

/// The caller waits after an idle call, so such a call must leave nothing that is due.
async fn an_expiry_without_recipients_does_not_hide_other_due_work(on: Backend) {
    let fixture = Fixture::new(on).await;
    for name in ["a", "b", "c"] {
        fixture.store.push(until(name, &["ada"], at(5))).await.unwrap();
        fixture.write("ada", InboxCommand::Remove(id(name))).await.unwrap();
    }
    fixture.store.push(until("d", &["ada"], at(6))).await.unwrap();
    let mut later = push("later", &["ada"]);
    later.notification.send_after = Some(at(7));
    fixture.store.push(later).await.unwrap();
    let done = fixture.advance(at(10), 1).await;
    assert_eq!((done.withdrawn, done.delivered), (1, 1));
    assert_eq!(fixture.ids("ada").await, ["later"]);
}

on_every_store!(
    an_expired_notification_is_rejected_and_leaves_no_trace,
    an_expired_notification_is_removed_from_every_inbox_by_a_change,
    a_notification_that_expires_before_it_is_due_is_never_delivered,
    a_repeated_push_after_expiry_delivers_nothing,
    expiry_continues_where_a_limit_stopped_it,
    an_expiry_without_recipients_does_not_hide_other_due_work,
);
