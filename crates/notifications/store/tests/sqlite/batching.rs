use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::join_all;
use internal_notifications_models::UserId;
use internal_notifications_store::{CommitListener, InboxCommand, Store, StoreError, StoreErrorKind};

use crate::fixture::{Fixture, id, push};

/// The test has one thread, so all calls are queued before the writer runs and form one batch.
#[tokio::test]
async fn pushes_of_one_batch_are_executed_in_order() {
    let fixture = Fixture::new().await;
    let mut taken = push("a", &["ada", "eve"]);
    taken.sender = "key:other".to_owned();
    let pushes = [
        push("a", &["ada"]),
        push("b", &["bob", "ada"]),
        taken,
        push("a", &["ada", "bob"]),
        push("c", &["ada"]),
    ];
    let before = fixture.store.commits();
    let answers = join_all(pushes.map(|push| fixture.store.push(push))).await;
    assert_eq!(fixture.store.commits() - before, 1);
    let counts: Vec<_> = answers
        .into_iter()
        .map(|answer| {
            answer.map(|receipt| (receipt.accepted, receipt.duplicates)).map_err(|error| error.kind())
        })
        .collect();
    assert_eq!(counts, [Ok((1, 0)), Ok((2, 0)), Err(StoreErrorKind::IdTaken), Ok((1, 1)), Ok((1, 0))]);
    assert_eq!(fixture.ids("ada").await, ["c", "b", "a"]);
    assert_eq!(fixture.ids("bob").await, ["a", "b"]);
    assert!(fixture.ids("eve").await.is_empty());
    let log = fixture.log("ada").await;
    assert!(log.windows(2).all(|pair| pair[1].stamp.follows(pair[0].stamp.position())));
}

#[tokio::test]
async fn writes_and_pushes_of_one_batch_are_executed_in_order() {
    let fixture = Fixture::new().await;
    let answers = tokio::join!(
        fixture.store.push(push("a", &["ada"])),
        fixture.write("ada", InboxCommand::Opened(vec![id("a")])),
        fixture.write("ada", InboxCommand::Remove(id("zzz"))),
        fixture.store.push(push("b", &["ada"])),
        fixture.write_as("ada", "op", InboxCommand::OpenedAll { through: None, tag: None }),
        fixture.write_as("ada", "op", InboxCommand::OpenedAll { through: None, tag: None }),
        fixture.store.push(push("c", &["ada"])),
    );
    assert_eq!(fixture.store.commits(), 1);
    assert_eq!(answers.1.unwrap().seq, Some(2));
    let error = answers.2.unwrap_err();
    assert_eq!((error.kind(), error.head().unwrap().position.seq), (StoreErrorKind::NotFound, 2));
    assert_eq!(answers.4.unwrap().seq, Some(4));
    assert_eq!(answers.5.unwrap().seq, None);
    assert_eq!(
        fixture.log("ada").await.iter().map(|change| change.stamp.pending).collect::<Vec<_>>(),
        [1, 0, 1, 0, 1]
    );
}

#[tokio::test]
async fn a_push_that_the_database_rejects_fails_alone() {
    let fixture = Fixture::new().await;
    let reject = "CREATE TRIGGER reject BEFORE INSERT ON notifications WHEN NEW.id = 'n5'
                  BEGIN SELECT RAISE(ABORT, 'rejected'); END";
    fixture.sql(reject).await;
    let pushes = || (0..12).map(|n| push(&format!("n{n}"), &["ada"]));
    let failed = |answers: Vec<Result<_, StoreError>>| {
        let failed = answers.iter().enumerate().filter(|(_, answer)| answer.is_err());
        failed.map(|(place, _)| place).collect::<Vec<_>>()
    };
    assert_eq!(failed(join_all(pushes().map(|push| fixture.store.push(push))).await), [5]);
    assert_eq!(failed(fixture.store.push_all(pushes().collect()).await), [5]);
    let stored: Vec<_> = (0..12).rev().filter(|n| *n != 5).map(|n| format!("n{n}")).collect();
    assert_eq!(fixture.ids("ada").await, stored);
}

#[tokio::test]
async fn a_push_to_ten_thousand_recipients_is_one_commit() {
    let fixture = Fixture::new().await;
    let names: Vec<_> = (0..10_000).map(|n| format!("user-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let receipt = fixture.push("n", &names).await;
    assert_eq!((receipt.accepted, receipt.duplicates), (10_000, 0));
    assert_eq!(fixture.store.commits(), 1);
    assert_eq!((fixture.count("notifications").await, fixture.count("deliveries").await), (1, 10_000));
    assert_eq!(fixture.ids("user-9999").await, ["n"]);
    assert_eq!(fixture.push("n", &names).await.duplicates, 10_000);
}

/// The listener could otherwise not tell that the push to one user is small.
#[tokio::test]
async fn a_push_to_many_shares_no_commit_with_a_push_to_few() {
    let fixture = Fixture::new().await;
    let names: Vec<_> = (0..101).map(|n| format!("user-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let pushes = [push("a", &["ada"]), push("b", &names), push("c", &["ada"]), push("d", &names[1..])];
    join_all(pushes.map(|push| fixture.store.push(push))).await;
    assert_eq!(fixture.store.commits(), 3);
}

#[derive(Default)]
struct ChangedUsers(Mutex<Vec<String>>);

impl CommitListener for ChangedUsers {
    fn committed(&self, users: &mut dyn Iterator<Item = &UserId>) {
        self.0.lock().unwrap().extend(users.map(UserId::to_string));
    }
}

#[tokio::test]
async fn a_push_whose_caller_is_gone_is_stored_and_reported() {
    let changed = Arc::new(ChangedUsers::default());
    let fixture = Fixture::new().await;
    fixture.store.set_commit_listener(changed.clone());
    assert!(fixture.store.push(push("a", &["ada"])).now_or_never().is_none());
    // Commands run in order, so the push before this one has ended too.
    fixture.store.ready().await.unwrap();
    assert_eq!(*changed.0.lock().unwrap(), ["ada"]);
    assert_eq!(fixture.ids("ada").await, ["a"]);
}
