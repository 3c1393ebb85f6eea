use std::path::Path;

use internal_notifications_models::{InternalNotification, JsonText};
use internal_notifications_server::config::OutboxDatabase;
use internal_notifications_server::relay::{intent_source, own_intent_source};
use sqlx::Connection;

use crate::assert_taken_up_to_a_size;
use crate::inboxes::{Inboxes, eventually, named};
use crate::sqlite_app::App;

fn outbox_database(file: &Path) -> OutboxDatabase {
    format!("sqlite://{}", file.display()).parse().unwrap()
}

#[tokio::test]
async fn intents_in_the_servers_own_file_are_delivered_and_rolled_back_ones_are_not() {
    let inboxes = Inboxes::new().await;
    let relay = inboxes.relay(vec![own_intent_source(&outbox_database(&inboxes.file()))]);
    let mut app = App::at(&inboxes.file(), false).await;
    eventually("the table is created", async || {
        let table = "SELECT 1 FROM sqlite_master WHERE name = 'internal_notifications_intents'";
        sqlx::query(table).fetch_optional(&mut app.database).await.unwrap().is_some()
    })
    .await;
    app.push(InternalNotification::new("first"), true).await;
    app.push(InternalNotification::new("never"), false).await;
    app.push(InternalNotification::new("second"), true).await;
    assert_eq!(inboxes.contents(2).await, ["first", "second"]);
    app.nothing_waits().await;
    assert_eq!((app.rows().await.len(), relay.failed()), (0, 0));
    let senders = inboxes.store.page(&"ada".parse().unwrap(), 10, None).await.unwrap().notifications;
    assert!(senders.iter().all(|row| row.sender == "outbox:orders"));
}

#[tokio::test]
async fn numbers_are_relayed_as_they_are_written() {
    let inboxes = Inboxes::new().await;
    let (mut app, file) = App::with_own_file(inboxes.folder()).await;
    let numbers = "[98765432109876543210987,3.14159265358979323846264,-0.0,1.50,1E400]";
    let payload: JsonText = numbers.parse().unwrap();
    let notification = InternalNotification::new("c").with_payload(payload.clone());
    app.push(notification.with_extra("color", payload), true).await;
    let _relay = inboxes.relay(vec![intent_source(&outbox_database(&file))]);
    inboxes.contents(1).await;
    let page = inboxes.store.page(&"ada".parse().unwrap(), 1, None).await.unwrap();
    let row = &page.notifications[0];
    assert_eq!(row.payload.as_ref().unwrap().as_str(), numbers);
    assert_eq!(row.extra["color"].as_str(), numbers);
}

#[tokio::test]
async fn intents_of_one_file_are_delivered_once_and_in_order() {
    let inboxes = Inboxes::new().await;
    let (mut app, file) = App::with_own_file(inboxes.folder()).await;
    for number in 0..100 {
        app.push(InternalNotification::new(number.to_string()), true).await;
    }
    let _relay = inboxes.relay(vec![intent_source(&outbox_database(&file))]);
    let numbers: Vec<_> = (0..100).map(|number: u32| number.to_string()).collect();
    assert_eq!(inboxes.contents(100).await, numbers);
    app.nothing_waits().await;
    assert_eq!(inboxes.seq().await, 100);
}

#[tokio::test]
async fn an_intent_that_was_pushed_before_a_crash_is_not_pushed_twice() {
    let inboxes = Inboxes::new().await;
    let (mut app, file) = App::with_own_file(inboxes.folder()).await;
    app.push(named("order-1", "c"), true).await;
    // Inserts the row again, as if the server had crashed between push and deletion.
    app.push(named("order-1", "c"), true).await;
    app.push(named("last", "c"), true).await;
    let relay = inboxes.relay(vec![intent_source(&outbox_database(&file))]);
    app.nothing_waits().await;
    assert_eq!((inboxes.seq().await, app.rows().await.len()), (2, 0));
    eventually("3 intents are counted", async || relay.relayed() == 3).await;
}

#[tokio::test]
async fn a_hostile_row_is_marked_failed_and_does_not_block_others() {
    let inboxes = Inboxes::new().await;
    let (mut app, file) = App::with_own_file(inboxes.folder()).await;
    let (orders, users, body) = ("outbox:orders", r#"["ada"]"#, br#"{"content":"secret"}"#.as_slice());
    app.push(named("taken", "mine"), true).await;
    app.insert("taken", orders, users, body).await;
    app.insert("malformed", orders, users, b"{\"content\":\"secret").await;
    app.insert("no-utf8", orders, users, b"{\"content\":\"secret\xff\"}").await;
    app.insert("reserved", orders, users, br#"{"content":"secret","sender":"key:shop"}"#).await;
    app.insert("crowd", orders, r#"["a","b","c","d"]"#, body).await;
    app.insert("forged", "key:shop", users, body).await;
    app.insert("over", orders, users, br#"{"content":"secret","expires_at":"2001-01-01T00:00:00Z"}"#).await;
    app.insert("large", orders, users, &vec![b' '; 2 << 20]).await;
    app.insert("", orders, users, body).await;
    app.push(named("good", "last"), true).await;

    let relay = inboxes.relay(vec![intent_source(&outbox_database(&file))]);
    assert_eq!(inboxes.contents(2).await, ["mine", "last"]);
    app.nothing_waits().await;
    let rows = app.rows().await;
    for (id, expected) in [
        ("taken", "belongs to another notification"),
        ("malformed", "`body` is not a notification (line 1"),
        ("no-utf8", "UTF-8"),
        ("reserved", "`sender` is set by the server"),
        ("crowd", "1 to 3 recipients"),
        ("forged", "outbox:NAME"),
        ("over", "expired"),
        ("large", "too large"),
        ("", "1 to 128"),
    ] {
        let reason = rows.iter().find(|row| row.0 == id).and_then(|row| row.1.clone()).unwrap();
        assert!(reason.contains(expected) && !reason.contains("secret"), "{id}: {reason}");
    }
    assert_eq!(rows.len(), 9);
    eventually("11 intents are counted", async || (relay.relayed(), relay.failed()) == (2, 9)).await;
}

#[tokio::test]
async fn a_failing_store_leaves_the_row_in_place() {
    let inboxes = Inboxes::new().await;
    let (mut app, file) = App::with_own_file(inboxes.folder()).await;
    let mut foreign = App::at(&inboxes.file(), false).await.database;
    let locked = foreign.begin_with("BEGIN IMMEDIATE").await.unwrap();
    app.push(InternalNotification::new("patient"), true).await;
    let relay = inboxes.relay(vec![intent_source(&outbox_database(&file))]);
    // Each call waits for the lock. Meanwhile the relay's push fails more than once, too.
    for _ in 0..20 {
        inboxes.store.get_or_insert_setting("any", String::new()).await.expect_err("the store is locked");
    }
    assert_eq!(app.rows().await[0].1, None);
    locked.rollback().await.unwrap();
    assert_eq!(inboxes.contents(1).await, ["patient"]);
    app.nothing_waits().await;
    assert_eq!(relay.failed(), 0);
}

#[tokio::test]
async fn a_missing_database_does_not_block_others_and_is_found_later() {
    let inboxes = Inboxes::new().await;
    let (mut app, file) = App::with_own_file(inboxes.folder()).await;
    let late = inboxes.folder().join("late");
    let _relay = inboxes.relay(vec![
        intent_source(&outbox_database(Path::new("/nowhere/app.db"))),
        intent_source(&outbox_database(&late.join("app.db"))),
        intent_source(&outbox_database(&file)),
    ]);
    app.push(InternalNotification::new("at once"), true).await;
    assert_eq!(inboxes.contents(1).await, ["at once"]);
    std::fs::create_dir(&late).unwrap();
    let (mut late, _) = App::with_own_file(&late).await;
    late.push(InternalNotification::new("late"), true).await;
    assert_eq!(inboxes.contents(2).await, ["at once", "late"]);
}

#[tokio::test]
async fn a_stopped_relay_leaves_the_rest_for_the_next_one() {
    let inboxes = Inboxes::new().await;
    let (mut app, file) = App::with_own_file(inboxes.folder()).await;
    for number in 0..300 {
        app.push(InternalNotification::new(number.to_string()), true).await;
    }
    let source = || intent_source(&outbox_database(&file));
    let relay = inboxes.relay(vec![source()]);
    inboxes.contents(40).await;
    relay.stop(crate::PATIENCE).await;
    let (left, before) = (app.rows().await.len() as u64, inboxes.seq().await);
    assert_eq!(before + left, 300, "exactly the pushed rows are deleted");
    let _relay = inboxes.relay(vec![source()]);
    inboxes.contents(300).await;
    app.nothing_waits().await;
    assert_eq!(inboxes.seq().await, 300);
}

#[tokio::test]
async fn intents_are_taken_up_to_a_size_and_without_those_that_rest() {
    let inboxes = Inboxes::new().await;
    let (mut app, file) = App::with_own_file(inboxes.folder()).await;
    for number in 0..40 {
        app.insert(&number.to_string(), "outbox:orders", r#"["ada"]"#, &vec![b'x'; 1_000_000]).await;
    }
    let mut source = intent_source(&outbox_database(&file));
    assert_taken_up_to_a_size(&mut *source).await;
}

#[tokio::test]
async fn more_intents_than_a_round_takes_that_cannot_be_stored_hold_up_no_other() {
    let inboxes = Inboxes::new().await;
    let mut database = App::at(&inboxes.file(), false).await.database;
    let reject = "CREATE TRIGGER reject BEFORE INSERT ON notifications WHEN NEW.id LIKE 'bad%'
                  BEGIN SELECT RAISE(ABORT, 'rejected'); END";
    sqlx::raw_sql(reject).execute(&mut database).await.unwrap();
    let (mut app, file) = App::with_own_file(inboxes.folder()).await;
    let bad = r#"INSERT INTO internal_notifications_intents (id, sender, user_ids, body)
        WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1100)
        SELECT 'bad' || n, 'outbox:orders', '["ada"]', '{"content":"bad"}' FROM s"#;
    sqlx::raw_sql(bad).execute(&mut app.database).await.unwrap();
    app.push(named("good", "good"), true).await;
    let relay = inboxes.relay(vec![intent_source(&outbox_database(&file))]);
    assert_eq!(inboxes.contents(1).await, ["good"]);
    eventually("the good one is settled", async || relay.relayed() == 1).await;
    assert_eq!((app.rows().await.len(), relay.failed()), (1100, 0));
    sqlx::raw_sql("DROP TRIGGER reject").execute(&mut database).await.unwrap();
    app.nothing_waits().await;
    eventually("all are settled", async || relay.relayed() == 1101).await;
    assert_eq!(relay.failed(), 0);
}
