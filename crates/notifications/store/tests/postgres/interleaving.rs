//! A call while a stranger's transaction is in the middle of something, as another server's may be.

use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::InternalNotification;
use internal_notifications_store::postgres::PostgresStore;
use internal_notifications_store::{Push, Retention, Store, Sweep};
use sqlx::PgConnection;
use tokio::task::JoinHandle;

use crate::bench_store::{Schema, at, id, push, user};

async fn run(stranger: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(stranger).await.unwrap();
}

/// Until a call waits for a lock too, and so many do; or it has ended.
async fn until_it_waits<T>(schema: &Schema, call: &JoinHandle<T>, waiting: i64) {
    let waits = async { while !call.is_finished() && schema.waiting().await < waiting {} };
    tokio::time::timeout(Duration::from_secs(10), waits).await.expect("it waits, or ends");
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
async fn what_another_server_is_retracting_is_not_delivered() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(later("n", &["ada"])).await.unwrap();
    let mut stranger = schema.stranger().await;
    run(&mut stranger, "BEGIN; UPDATE notifications SET withdrawn = true").await;
    let of = store.clone();
    let advancing = tokio::spawn(async move { of.advance(at(100), 10).await.unwrap() });
    until_it_waits(&schema, &advancing, 1).await;
    run(&mut stranger, "COMMIT").await;
    assert_eq!(advancing.await.unwrap().delivered, 0);
    assert_eq!(pending(&store, "ada").await, 0);
    assert_eq!(schema.number("SELECT count(*) FROM scheduled").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_server_is_retracting_is_pushed_to_nobody_more() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(push("n", &["ada"])).await.unwrap();
    let mut stranger = schema.stranger().await;
    run(&mut stranger, "BEGIN; UPDATE notifications SET withdrawn = true").await;
    let of = store.clone();
    let pushing = tokio::spawn(async move { of.push(push("n", &["ada", "bob"])).await.unwrap() });
    until_it_waits(&schema, &pushing, 1).await;
    run(&mut stranger, "COMMIT").await;
    let receipt = pushing.await.unwrap();
    assert_eq!((receipt.accepted, receipt.duplicates), (0, 2));
    assert_eq!(pending(&store, "bob").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retraction_takes_back_what_a_push_was_giving_just_then() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(push("n", &["ada"])).await.unwrap();
    store.push(push("other", &["bob"])).await.unwrap();
    let mut stranger = schema.stranger().await;
    // The last that a push locks: it has long seen that bob may have the notification.
    run(&mut stranger, "BEGIN; SELECT FROM publications FOR UPDATE").await;
    let of = store.clone();
    let pushing = tokio::spawn(async move { of.push(push("n", &["bob"])).await.unwrap() });
    until_it_waits(&schema, &pushing, 1).await;
    let of = store.clone();
    let retracting = tokio::spawn(async move { of.retract(&id("n"), at(1)).await.unwrap() });
    until_it_waits(&schema, &retracting, 2).await;
    run(&mut stranger, "COMMIT").await;
    assert_eq!((pushing.await.unwrap().accepted, retracting.await.unwrap().removed), (1, 2));
    assert_eq!((pending(&store, "ada").await, pending(&store, "bob").await), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_that_another_server_is_giving_to_somebody_is_not_forgotten() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(push("n", &["ada"])).await.unwrap();
    schema.sql("DELETE FROM deliveries").await;
    let mut stranger = schema.stranger().await;
    run(&mut stranger, "BEGIN; SELECT FROM notifications FOR SHARE").await;
    let of = store.clone();
    let year = 365 * 24 * 3600;
    let sweep = Sweep::new(Retention::default(), at(10 * year)).with_limit(10);
    let sweeping = tokio::spawn(async move { of.sweep(sweep).await.unwrap() });
    until_it_waits(&schema, &sweeping, 1).await;
    let given = "INSERT INTO deliveries (inbox, added, notification, created_at)
                 SELECT inboxes.key, 1, notifications.key, 0 FROM inboxes, notifications; COMMIT";
    run(&mut stranger, given).await;
    sweeping.await.unwrap();
    assert_eq!(schema.number("SELECT count(*) FROM notifications").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retraction_counts_whom_another_server_had_at_hand() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(later("n", &["ada", "bob", "eve"])).await.unwrap();
    let mut stranger = schema.stranger().await;
    // As a delivery does first; then it finds something else to wait for, and is killed.
    run(&mut stranger, "BEGIN; DELETE FROM scheduled WHERE user_id = 'bob'").await;
    let of = store.clone();
    let retracting = tokio::spawn(async move { of.retract(&id("n"), at(1)).await.unwrap() });
    until_it_waits(&schema, &retracting, 1).await;
    run(&mut stranger, "ROLLBACK").await;
    let retraction = retracting.await.unwrap();
    assert_eq!((retraction.cancelled, retraction.removed), (3, 0));
    assert_eq!(schema.number("SELECT count(*) FROM scheduled").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_with_somebody_else_is_no_error() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    store.push(push("n", &["ada", "bob"])).await.unwrap();
    let mut stranger = schema.stranger().await;
    // Whoever finds the deadlock is its victim, and the stranger does not look.
    let locked = "SET deadlock_timeout = '1min'; BEGIN; SELECT FROM inboxes WHERE user_id = 'bob' FOR UPDATE";
    run(&mut stranger, locked).await;
    let of = store.clone();
    let pushing = tokio::spawn(async move { of.push(push("m", &["ada", "bob"])).await });
    until_it_waits(&schema, &pushing, 1).await;
    run(&mut stranger, "SELECT FROM inboxes WHERE user_id = 'ada' FOR UPDATE; COMMIT").await;
    assert_eq!(pushing.await.unwrap().unwrap().accepted, 2);
    assert_eq!(store.retries(), 1);
}
