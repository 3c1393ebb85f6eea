use internal_notifications_store::{Retention, Store, Sweep};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Connection, SqlSafeStr};

use crate::fixture::{Schema, at, id, push, user};

const DAY: i64 = 24 * 60 * 60;

/// A database of the first version: `a` is in an inbox, `b` was retracted with one delivery to
/// come, and `c` is an orphan.
const ROWS: &str = r#"
    INSERT INTO notifications (id, sender, digest, body, created_at, withdrawn)
    SELECT n, 'key:shop', '', '{"content":"c"}', 1700000000000, n = 'b' FROM unnest(ARRAY['a', 'b', 'c']) n;
    INSERT INTO inboxes (user_id, seq, tag, pending) VALUES ('ada', 1, 11, 1);
    INSERT INTO deliveries (inbox, added, notification, created_at)
    SELECT i.key, 1, n.key, 1700000000000 FROM inboxes i, notifications n WHERE id = 'a';
    INSERT INTO changes (inbox, seq, tag, pending, at) SELECT key, 1, 11, 1, 1700000000000 FROM inboxes;
    INSERT INTO scheduled (notification, user_id, due_at) SELECT key, 'bob', 0 FROM notifications WHERE id = 'b';
"#;

async fn schema_of_version_one() -> Option<Schema> {
    let schema = Schema::new()?;
    schema.sql(&format!("CREATE SCHEMA {}", schema.name)).await;
    let mut connection = schema.connect().await;
    let sql = include_str!("../../migrations/postgres/0001_inboxes.sql").into_sql_str();
    let first = Migration::new(1, "inboxes".into(), MigrationType::Simple, sql, false);
    Migrator::with_migrations(vec![first]).run(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    schema.sql(ROWS).await;
    Some(schema)
}

#[tokio::test]
async fn a_database_of_the_first_version_opens_with_all_its_data() {
    let Some(schema) = schema_of_version_one().await else { return };
    let file = "SELECT pg_relation_filenode('notifications')::bigint";
    let before = schema.number(file).await;
    let store = schema.open(schema.options()).await;
    assert_eq!(schema.number(file).await, before, "the notifications were not rewritten");
    assert_eq!(store.page(&user("ada"), 10, None).await.unwrap().notifications[0].id, id("a"));

    let age = "SELECT count(*) FROM notifications
               WHERE id = 'b' AND extract(epoch FROM now()) * 1000 - withdrawn_at BETWEEN 0 AND 600000";
    assert_eq!(schema.number(age).await, 1, "it was withdrawn by now");
    store.push(push("d", &["ada"])).await.unwrap();
    let set = "SELECT count(*) FROM notifications WHERE id = 'd' AND withdrawn_at IS NOT NULL";
    assert_eq!(schema.number(set).await, 0);
    while !store.advance(at(0), 10).await.unwrap().is_idle() {}
    assert_eq!(schema.number("SELECT count(*) FROM scheduled").await, 0, "it was retracted");
}

#[tokio::test]
async fn a_notification_of_the_first_version_that_was_not_withdrawn_is_forgotten_by_its_age() {
    let Some(schema) = schema_of_version_one().await else { return };
    let store = schema.open(schema.options()).await;
    let forgotten = async |days: i64| {
        let sweep = Sweep::new(Retention::unlimited(), at(days * DAY));
        store.sweep(sweep).await.unwrap().forgotten
    };
    assert_eq!((forgotten(89).await, forgotten(90).await), (0, 1));
    assert_eq!(schema.number("SELECT count(*) FROM notifications").await, 2);
}

#[tokio::test]
async fn a_migration_waits_for_the_transactions_of_running_nodes() {
    let Some(schema) = schema_of_version_one().await else { return };
    let mut node = schema.connect().await;
    let mut delivering = node.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM scheduled").execute(&mut *delivering).await.unwrap();
    let migrate = async { schema.open(schema.options()).await };
    let deliver = async {
        while schema.waiting().await == 0 {
            tokio::task::yield_now().await;
        }
        sqlx::query("DELETE FROM scheduled").execute(&mut *delivering).await.unwrap();
        delivering.commit().await.unwrap();
    };
    let (store, ()) = tokio::join!(migrate, deliver);
    store.ready().await.unwrap();
}
