//! Calls while another transaction holds locks, such as that of another server.

use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::InternalNotification;
use internal_notifications_store::postgres::PostgresStore;
use internal_notifications_store::{Push, Retention, Store, Sweep};
use sqlx::PgConnection;
use tokio::task::JoinHandle;

use crate::fixture::{Schema, at, id, push, user};

async fn run(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

/// Waits until this many calls wait for a lock, or until this call has ended.
async fn wait_until_blocked<T>(schema: &Schema, call: &JoinHandle<T>, waiting: i64) {
    let waits = async { while !call.is_finished() && schema.waiting().await < waiting {} };
    tokio::time::timeout(Duration::from_secs(10), waits)
        .await
        .expect("the call should wait for a lock or end");
}

fn later(name: &str, users: &[&str]) -> Push {
    let notification = InternalNotification::new("later").with_send_after(at(50));
    let mut push = push(name, users);
    push.notification = notification;
    push
}

async fn pending(store: &PostgresStore, name: &str) -> u64 {
    store.head(&user(name)).await.unwrap().pending
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduled_notification_that_is_being_retracted_is_not_delivered() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(later("n", &["ada"])).await.unwrap();
    let mut other = schema.connect().await;
    let retract = "BEGIN; UPDATE notifications SET withdrawn = true;
                   INSERT INTO withdrawals (notification, due_at, reason) SELECT key, 0, 'retracted' FROM notifications";
    run(&mut other, retract).await;
    let cloned = store.clone();
    let advancing = tokio::spawn(async move { cloned.advance(at(100), 10).await.unwrap() });
    wait_until_blocked(&schema, &advancing, 1).await;
    run(&mut other, "COMMIT").await;
    assert_eq!(advancing.await.unwrap().delivered, 0);
    while !store.advance(at(100), 10).await.unwrap().is_idle() {}
    assert_eq!(pending(&store, "ada").await, 0);
    assert_eq!(schema.number("SELECT count(*) FROM scheduled").await, 0);
}

#[tokio::test]
async fn a_locked_inbox_does_not_stop_what_is_due_for_others() {
    let Some(schema) = Schema::new() else { return };
    let store = schema.open(schema.options()).await;
    store.push(later("n", &["ada", "bob"])).await.unwrap();
    let mut expiring = push("expiring", &["ada", "bob", "eve"]);
    expiring.notification.expires_at = Some(at(40));
    store.push(expiring).await.unwrap();
    let mut other = schema.lock_inbox("ada").await;
    let done = store.advance(at(50), 10).await.unwrap();
    assert_eq!((done.delivered, done.withdrawn), (1, 2));
    assert!(store.advance(at(50), 10).await.unwrap().is_idle());
    store.advance(at(50), 1).await.unwrap();
    let done = store.advance(at(50), 1).await.unwrap();
    assert!(done.is_idle(), "a full page does not make the caller go round for ever");
    run(&mut other, "ROLLBACK").await;
    let (mut delivered, mut withdrawn) = (0, 0);
    loop {
        let done = store.advance(at(50), 10).await.unwrap();
        (delivered, withdrawn) = (delivered + done.delivered, withdrawn + done.withdrawn);
        if done.is_idle() {
            break;
        }
    }
    assert_eq!((delivered, withdrawn), (1, 1));
    assert_eq!((pending(&store, "ada").await, pending(&store, "bob").await), (1, 1));
    assert_eq!(schema.number("SELECT count(*) FROM withdrawals").await, 0);
}

#[tokio::test]
async fn a_server_rests_while_another_does_what_is_due() {
    let Some(schema) = Schema::new() else { return };
    let store = schema.open(schema.options()).await;
    for name in ["a", "b", "c"] {
        store.push(later(name, &["ada"])).await.unwrap();
        store.push(push(&format!("{name}-retracted"), &["ada"])).await.unwrap();
    }
    let plan = "UPDATE notifications SET withdrawn = true WHERE id LIKE '%retracted';
                INSERT INTO withdrawals (notification, due_at, reason) SELECT key, 0, 'retracted' FROM notifications WHERE withdrawn";
    schema.sql(plan).await;
    let mut other = schema.connect().await;
    let turns = "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended(concat('internal-notifications ', work, ' ', current_schema()), 0))
                 FROM unnest(ARRAY['withdrawal', 'delivery']) work";
    run(&mut other, turns).await;
    assert!(store.advance(at(50), 1).await.unwrap().is_idle());
    run(&mut other, "ROLLBACK").await;
    let (mut delivered, mut withdrawn) = (0, 0);
    for _ in 0..4 {
        let done = store.advance(at(50), 1).await.unwrap();
        (delivered, withdrawn) = (delivered + done.delivered, withdrawn + done.withdrawn);
    }
    assert_eq!((delivered, withdrawn), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_of_a_notification_that_is_being_retracted_delivers_nothing() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(push("n", &["ada"])).await.unwrap();
    let mut other = schema.connect().await;
    run(&mut other, "BEGIN; UPDATE notifications SET withdrawn = true").await;
    let cloned = store.clone();
    let pushing = tokio::spawn(async move { cloned.push(push("n", &["ada", "bob"])).await.unwrap() });
    wait_until_blocked(&schema, &pushing, 1).await;
    run(&mut other, "COMMIT").await;
    let receipt = pushing.await.unwrap();
    assert_eq!((receipt.accepted, receipt.duplicates), (0, 2));
    assert_eq!(pending(&store, "bob").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retraction_removes_what_a_concurrent_push_delivers() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(push("n", &["ada"])).await.unwrap();
    store.push(push("other", &["bob"])).await.unwrap();
    let mut other = schema.connect().await;
    // A push locks this row last, after checking that bob may receive the notification.
    run(&mut other, "BEGIN; SELECT FROM publications FOR UPDATE").await;
    let cloned = store.clone();
    let pushing = tokio::spawn(async move { cloned.push(push("n", &["bob"])).await.unwrap() });
    wait_until_blocked(&schema, &pushing, 1).await;
    let cloned = store.clone();
    let retracting = tokio::spawn(async move { cloned.retract(&id("n"), at(1)).await.unwrap() });
    wait_until_blocked(&schema, &retracting, 2).await;
    run(&mut other, "COMMIT").await;
    assert_eq!((pushing.await.unwrap().accepted, retracting.await.unwrap().removed), (1, 2));
    assert_eq!((pending(&store, "ada").await, pending(&store, "bob").await), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_that_another_server_is_delivering_is_not_forgotten() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(push("n", &["ada"])).await.unwrap();
    schema.sql("DELETE FROM deliveries").await;
    let mut other = schema.connect().await;
    run(&mut other, "BEGIN; SELECT FROM notifications FOR SHARE").await;
    let cloned = store.clone();
    let year = 365 * 24 * 3600;
    let sweep = Sweep::new(Retention::default(), at(10 * year)).with_limit(10);
    let sweeping = tokio::spawn(async move { cloned.sweep(sweep).await.unwrap() });
    wait_until_blocked(&schema, &sweeping, 1).await;
    let delivery = "INSERT INTO deliveries (inbox, added, notification, created_at)
                 SELECT inboxes.key, 1, notifications.key, 0 FROM inboxes, notifications; COMMIT";
    run(&mut other, delivery).await;
    sweeping.await.unwrap();
    assert_eq!(schema.number("SELECT count(*) FROM notifications").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retraction_counts_recipients_that_another_server_has_locked() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(later("n", &["ada", "bob", "eve"])).await.unwrap();
    let mut other = schema.connect().await;
    // Locks a row that a delivery locks first. The rollback acts as a delivery that is aborted.
    run(&mut other, "BEGIN; DELETE FROM scheduled WHERE user_id = 'bob'").await;
    let cloned = store.clone();
    let retracting = tokio::spawn(async move { cloned.retract(&id("n"), at(1)).await.unwrap() });
    wait_until_blocked(&schema, &retracting, 1).await;
    run(&mut other, "ROLLBACK").await;
    let retraction = retracting.await.unwrap();
    assert_eq!((retraction.cancelled, retraction.removed), (3, 0));
    assert_eq!(schema.number("SELECT count(*) FROM scheduled").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_is_retried_after_a_deadlock() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(push("n", &["ada", "bob"])).await.unwrap();
    let mut other = schema.connect().await;
    // PostgreSQL aborts the transaction that detects the deadlock. This one does not check.
    let locked = "SET deadlock_timeout = '1min'; BEGIN; SELECT FROM inboxes WHERE user_id = 'bob' FOR UPDATE";
    run(&mut other, locked).await;
    let cloned = store.clone();
    let pushing = tokio::spawn(async move { cloned.push(push("m", &["ada", "bob"])).await });
    wait_until_blocked(&schema, &pushing, 1).await;
    run(&mut other, "SELECT FROM inboxes WHERE user_id = 'ada' FOR UPDATE; COMMIT").await;
    assert_eq!(pushing.await.unwrap().unwrap().accepted, 2);
    assert_eq!(store.retries(), 1);
}
