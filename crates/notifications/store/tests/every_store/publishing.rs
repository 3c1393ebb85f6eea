use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use internal_notifications_models::{ChangeKind, UserId};
use internal_notifications_store::{CommitListener, InboxCommand, PublishLimits, Unpublished};

use crate::backend::Backend;
use crate::fixture::{Fixture, id, push, user};

const MOST: PublishLimits = PublishLimits::new(100, 10_000);

async fn behind(fixture: &Fixture) -> Vec<String> {
    let mut users = fixture.store.unpublished_users(100).await.unwrap();
    users.sort_unstable();
    users.iter().map(UserId::to_string).collect()
}

async fn unpublished(fixture: &Fixture, users: &[(&str, u64)], most: PublishLimits) -> Vec<Unpublished> {
    let users: Vec<_> = users.iter().map(|(name, after)| (user(name), *after)).collect();
    fixture.store.claim_unpublished(&users, most).await.unwrap()
}

/// Returns each user with the seqs of their unpublished changes.
fn users_and_seqs(unpublished: &[Unpublished]) -> Vec<(&str, Vec<u64>)> {
    let seqs = |user: &Unpublished| user.changes.iter().map(|change| change.stamp.seq).collect();
    unpublished.iter().map(|user| (user.user_id.as_str(), seqs(user))).collect()
}

async fn changes_wait_until_they_are_marked_published(on: Backend) {
    let fixture = Fixture::new(on).await;
    assert!(behind(&fixture).await.is_empty());
    fixture.push("a", &["ada", "bob"]).await;
    fixture.push("b", &["ada"]).await;
    fixture.write("ada", InboxCommand::Opened(vec![id("a")])).await.unwrap();
    assert_eq!(behind(&fixture).await, ["ada", "bob"]);
    let answer = unpublished(&fixture, &[("bob", 0), ("new", 0), ("ada", 0)], MOST).await;
    assert_eq!(users_and_seqs(&answer), [("bob", vec![1]), ("ada", vec![1, 2, 3])]);
    assert_eq!(answer[1].changes, fixture.log("ada").await);
    assert!(!answer[1].far_behind);

    fixture.mark(&[("ada", 2), ("bob", 1), ("new", 9)]).await;
    assert_eq!(behind(&fixture).await, ["ada"]);
    assert_eq!(
        users_and_seqs(&unpublished(&fixture, &[("ada", 0), ("bob", 0)], MOST).await),
        [("ada", vec![3])]
    );
    fixture.mark(&[("ada", 1)]).await;
    assert_eq!(
        users_and_seqs(&unpublished(&fixture, &[("ada", 0)], MOST).await),
        [("ada", vec![3])],
        "a mark never moves backwards"
    );
    fixture.mark(&[("ada", 3)]).await;
    assert!(behind(&fixture).await.is_empty());
    assert!(unpublished(&fixture, &[("ada", 0)], MOST).await.is_empty());

    fixture.push("c", &["ada"]).await;
    assert_eq!(users_and_seqs(&unpublished(&fixture, &[("ada", 0)], MOST).await), [("ada", vec![4])]);
}

async fn changes_that_the_publisher_has_passed_are_not_returned_again(on: Backend) {
    let fixture = Fixture::new(on).await;
    for name in ["a", "b", "c"] {
        fixture.push(name, &["ada"]).await;
    }
    fixture.mark(&[("ada", 1)]).await;
    for (after, seqs) in [(0, vec![2, 3]), (1, vec![2, 3]), (2, vec![3])] {
        assert_eq!(users_and_seqs(&unpublished(&fixture, &[("ada", after)], MOST).await), [("ada", seqs)]);
    }
    for after in [3, 4, u64::MAX] {
        assert!(unpublished(&fixture, &[("ada", after)], MOST).await.is_empty());
    }
    fixture.mark(&[("ada", u64::MAX)]).await;
    assert!(behind(&fixture).await.is_empty());
}

async fn an_inbox_that_is_far_behind_returns_only_its_newest_change(on: Backend) {
    let fixture = Fixture::new(on).await;
    for name in ["a", "b", "c"] {
        fixture.push(name, &["ada"]).await;
    }
    let few = PublishLimits::new(2, MOST.body_bytes);
    let answer = unpublished(&fixture, &[("ada", 0)], few).await;
    assert_eq!(users_and_seqs(&answer), [("ada", vec![3])]);
    assert!(answer[0].far_behind);
    let answer = unpublished(&fixture, &[("ada", 1)], few).await;
    assert_eq!(users_and_seqs(&answer), [("ada", vec![2, 3])]);
    assert!(!answer[0].far_behind);
}

async fn a_body_that_is_too_large_or_removed_is_returned_as_gone(on: Backend) {
    let fixture = Fixture::new(on).await;
    for name in ["large", "removed", "small"] {
        let mut pushed = push(name, &["ada"]);
        pushed.notification.content = "é".repeat(if name == "large" { 600 } else { 10 });
        fixture.store.push(pushed).await.unwrap();
    }
    fixture.write("ada", InboxCommand::Remove(id("removed"))).await.unwrap();
    let answer = unpublished(&fixture, &[("ada", 0)], PublishLimits::new(MOST.changes, 1_000)).await;
    let [large, removed, small, remove] = &answer[0].changes[..] else { panic!() };
    assert_eq!(large.kind, ChangeKind::Gone { id: id("large") });
    assert_eq!(removed.kind, ChangeKind::Gone { id: id("removed") });
    assert!(matches!(small.kind, ChangeKind::Added { .. }));
    assert!(matches!(remove.kind, ChangeKind::Removed { .. }));
}

async fn inboxes_that_stay_behind_do_not_hide_the_others(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.push("a", &["u1", "u2", "u3", "u4", "u5"]).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.extend(fixture.store.unpublished_users(2).await.unwrap());
    }
    seen.sort_unstable();
    let twice: Vec<_> =
        ["u1", "u2", "u3", "u4", "u5"].iter().flat_map(|name| [user(name), user(name)]).collect();
    assert_eq!(seen, twice);
}

async fn the_age_is_that_of_the_oldest_change_that_is_not_marked_published(on: Backend) {
    let fixture = Fixture::new(on).await;
    // Databases round to milliseconds.
    let margin = Duration::from_millis(2);
    let age = async || fixture.store.unpublished_age().await.unwrap();
    let pass = async || {
        let time = Duration::from_millis(30);
        fixture.data.pass(time);
        tokio::time::sleep(time).await;
        time
    };
    assert_eq!(age().await, None);
    fixture.push("a", &["ada"]).await;
    let mut least = pass().await;
    fixture.push("b", &["ada", "bob"]).await;
    least += pass().await;
    assert!(
        age().await.unwrap() + margin >= least,
        "neither a newer change nor another inbox makes it younger"
    );
    let begun = Instant::now();
    fixture.push("c", &["ada"]).await;
    fixture.mark(&[("ada", 1), ("bob", 1)]).await;
    assert!(age().await.unwrap() <= begun.elapsed() + margin, "what is left counts from the mark");
    fixture.mark(&[("ada", 0)]).await;
    let least = pass().await;
    fixture.mark(&[("ada", 1)]).await;
    assert!(age().await.unwrap() + margin >= least, "a mark that does not move changes nothing");
    fixture.mark(&[("ada", 3)]).await;
    assert_eq!(age().await, None);
}

#[derive(Default)]
struct ChangedUsers(Mutex<Vec<String>>);

impl CommitListener for ChangedUsers {
    fn committed(&self, users: &mut dyn Iterator<Item = &UserId>) {
        self.0.lock().unwrap().extend(users.map(UserId::to_string));
    }
}

async fn a_commit_listener_receives_the_changed_inboxes_and_no_others(on: Backend) {
    let changed = Arc::new(ChangedUsers::default());
    let fixture = Fixture::new(on).await;
    fixture.store.set_commit_listener(changed.clone());
    let take = || std::mem::take(&mut *changed.0.lock().unwrap());
    fixture.push("a", &["ada", "bob"]).await;
    assert_eq!(take(), ["ada", "bob"]);
    fixture.push("a", &["ada"]).await;
    fixture.write("bob", InboxCommand::Opened(vec![id("zzz")])).await.unwrap();
    fixture.mark(&[("ada", 1)]).await;
    fixture.store.get_or_insert_setting("s", "v".to_owned()).await.unwrap();
    assert!(take().is_empty());
    fixture.write("bob", InboxCommand::Opened(vec![id("a")])).await.unwrap();
    assert_eq!(take(), ["bob"]);
}

on_every_store!(
    changes_wait_until_they_are_marked_published,
    changes_that_the_publisher_has_passed_are_not_returned_again,
    an_inbox_that_is_far_behind_returns_only_its_newest_change,
    a_body_that_is_too_large_or_removed_is_returned_as_gone,
    inboxes_that_stay_behind_do_not_hide_the_others,
    the_age_is_that_of_the_oldest_change_that_is_not_marked_published,
    a_commit_listener_receives_the_changed_inboxes_and_no_others
);
