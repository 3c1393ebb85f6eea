use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use internal_notifications_models::{InternalNotification, PushRequest};
use internal_notifications_store::{IdempotencyKey, InboxCommand, Store, StoreErrorKind, Write};

use crate::fixture::{Schema, at, id, log, push, user};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_pushes_to_overlapping_users_write_complete_logs() {
    let Some(schema) = Schema::new() else { return };
    let stores =
        [Arc::new(schema.open(schema.options()).await), Arc::new(schema.open(schema.options()).await)];
    const USERS: usize = 7;
    const TASKS: usize = 24;
    const PUSHES: usize = 10;
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let store = stores[task % 2].clone();
        tasks.push(tokio::spawn(async move {
            for number in 0..PUSHES {
                // Each task uses a different order.
                let users: Vec<String> = (0..USERS)
                    .filter(|user| (task + number + user) % 3 > 0)
                    .map(|user| format!("u{}", (user + task) % USERS))
                    .collect();
                let users: Vec<&str> = users.iter().map(String::as_str).collect();
                let receipt = store.push(push(&format!("n-{task}-{number}"), &users)).await.unwrap();
                assert_eq!(receipt.accepted, users.len() as u64);
            }
        }));
    }
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let mut added = 0;
    for name in (0..USERS).map(|user| format!("u{user}")) {
        let log = log(&stores[0], &name).await;
        let mut before = internal_notifications_models::Position::default();
        for (change, seq) in log.iter().zip(1..) {
            assert!(change.stamp.follows(before));
            assert_eq!((change.stamp.seq, change.stamp.pending), (seq, seq));
            before = change.stamp.position();
        }
        assert_eq!(stores[1].head(&user(&name)).await.unwrap().pending, log.len() as u64);
        added += log.len() as i64;
    }
    assert_eq!(schema.number("SELECT count(*) FROM deliveries").await, added);
    let twice =
        "SELECT count(*) FROM (SELECT FROM deliveries GROUP BY inbox, notification HAVING count(*) > 1) t";
    assert_eq!(schema.number(twice).await, 0);
    // Transactions that lock in the same order wait, but never deadlock.
    assert_eq!((stores[0].retries(), stores[1].retries()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_one_of_two_concurrent_bodies_with_one_id_is_stored() {
    let Some(schema) = Schema::new() else { return };
    let stores = [schema.open(schema.options()).await, schema.open(schema.options()).await];
    for round in 0..20 {
        let (name, users) = (format!("n{round}"), [format!("a{round}"), format!("b{round}")]);
        let with_body = |place: usize| {
            let mut push = push(&name, &[&users[place]]);
            push.notification = InternalNotification::new(format!("body {place}"));
            push
        };
        let (first, second) = tokio::join!(stores[0].push(with_body(0)), stores[1].push(with_body(1)));
        let (won, lost) = match (first, second) {
            (Ok(_), Err(error)) => (0, error),
            (Err(error), Ok(_)) => (1, error),
            other => panic!("exactly one push should succeed: {other:?}"),
        };
        assert_eq!(lost.kind(), StoreErrorKind::IdTaken);
        assert_eq!(log(&stores[0], &users[won]).await.len(), 1);
        assert_eq!(log(&stores[0], &users[1 - won]).await.len(), 0);
    }
    assert_eq!(schema.number("SELECT count(*) FROM notifications").await, 20);
    assert_eq!(schema.number("SELECT count(*) FROM deliveries").await, 20);
    assert_eq!(
        schema.number("SELECT count(*) FROM inboxes").await,
        20,
        "the rejected pushes leave no inbox, not even an empty one"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_pushes_with_one_idempotency_key_are_stored_once() {
    let Some(schema) = Schema::new() else { return };
    let stores = [schema.open(schema.options()).await, schema.open(schema.options()).await];
    for round in 0..20 {
        // Like the server, each repeat has a new id.
        let notification = InternalNotification::new("body");
        let request = PushRequest::new([user("ada")], notification.clone());
        let with_id = |id: &str| {
            let mut push = push(&format!("{id}{round}"), &["ada"]);
            push.notification = notification.clone();
            push.with_idempotency_key(IdempotencyKey::new(&format!("key-{round}"), &request))
        };
        let (first, second) = tokio::join!(stores[0].push(with_id("x")), stores[1].push(with_id("y")));
        assert_eq!(first.unwrap(), second.unwrap());
    }
    assert_eq!(log(&stores[0], "ada").await.len(), 20);
    assert_eq!(schema.number("SELECT count(*) FROM notifications").await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_that_wait_for_an_inbox_block_neither_readers_nor_other_pushes() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options().with_connections(4)).await);
    store.push(push("n", &["ada"])).await.unwrap();
    let mut other = schema.lock_inbox("ada").await;
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            let users: &[&str] = if number % 2 == 0 { &["ada"] } else { &["ada", "cyd"] };
            tokio::spawn(async move { store.push(push(&format!("n{number}"), users)).await })
        })
        .collect();
    while schema.waiting().await < 1 {}
    let others = (0..20).map(|number| store.push(push(&format!("m{number}"), &["bob"])).boxed());
    for pushed in join_all(others).await {
        assert_eq!(pushed.unwrap().accepted, 1);
    }
    assert_eq!(store.head(&user("ada")).await.unwrap().pending, 1);
    assert_eq!(store.page(&user("ada"), 10, None).await.unwrap().notifications.len(), 1);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    for pushed in join_all(waiting).await {
        pushed.unwrap().unwrap();
    }
    assert_eq!(store.head(&user("ada")).await.unwrap().pending, 21);
    assert_eq!(store.head(&user("cyd")).await.unwrap().pending, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_to_many_that_waits_does_not_block_pushes_to_few() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options().with_connections(4)).await);
    store.push(push("n", &["ada"])).await.unwrap();
    let mut other = schema.lock_inbox("ada").await;
    let many: Vec<String> = (0..1_000).map(|number| format!("user-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).chain(["ada"]).collect();
    let (large, cloned) = (push("large", &many), store.clone());
    let waiting = tokio::spawn(async move { cloned.push(large).await });
    while schema.waiting().await < 1 {}
    assert_eq!(store.push(push("small", &["bob"])).await.unwrap().accepted, 1);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().accepted, 1_001);
}

#[tokio::test]
async fn pushes_to_a_locked_inbox_take_no_room_from_others() {
    let Some(schema) = Schema::new() else { return };
    let minute = Duration::from_secs(60);
    let options = schema.options().with_acquire_timeout(minute).with_call_timeout(minute);
    let store = Arc::new(schema.open(options).await);
    store.push(push("n", &["ada"])).await.unwrap();
    let mut other = schema.lock_inbox("ada").await;
    let waiting: Vec<_> = (0..1_500)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.push(push(&format!("n{number}"), &["ada"])).await })
        })
        .collect();
    while schema.waiting().await < 1 {}
    assert_eq!(store.push(push("m", &["bob"])).await.unwrap().accepted, 1);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    let mut pushed = 0;
    for answer in join_all(waiting).await {
        match answer.unwrap() {
            Ok(_) => pushed += 1,
            Err(error) => assert!(error.is_retryable() && !error.is_outage(), "{error:?}"),
        }
    }
    assert!(pushed >= 1_024, "{pushed}");
    assert_eq!(store.head(&user("ada")).await.unwrap().pending, pushed + 1);
}

#[tokio::test]
async fn closing_finishes_accepted_calls() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options().with_connections(4)).await);
    store.push(push("n", &["ada"])).await.unwrap();
    let mut other = schema.lock_inbox("ada").await;
    let start = |name: String| {
        let store = store.clone();
        tokio::spawn(async move { store.push(push(&name, &["ada"])).await })
    };
    let mut waiting = vec![start("first".to_owned())];
    while schema.waiting().await < 1 {}
    waiting.extend((0..20).map(|number| start(format!("n{number}"))));
    let cloned = store.clone();
    let opened = Write::new(InboxCommand::Opened(vec![id("n")]), at(1));
    let writing = tokio::spawn(async move { cloned.write(&user("ada"), opened).await });
    while schema.waiting().await < 2 {}
    let cloned = store.clone();
    let closing = tokio::spawn(async move { cloned.close().await });
    let mut round = 0..;
    while store.push(push(&format!("m{}", round.next().unwrap()), &["bob"])).await.is_ok() {}
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    for pushed in join_all(waiting).await {
        assert_eq!(pushed.unwrap().unwrap().accepted, 1);
    }
    writing.await.unwrap().unwrap();
    closing.await.unwrap();
    assert_eq!(schema.number("SELECT pending FROM inboxes WHERE user_id = 'ada'").await, 21);
}
