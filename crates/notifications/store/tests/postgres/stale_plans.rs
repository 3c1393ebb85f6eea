//! PostgreSQL plans a prepared statement by what the tables hold then, and keeps the plan while
//! they grow. No plan may read whole tables.

use std::collections::BTreeMap;

use internal_notifications_models::Position;
use internal_notifications_store::postgres::PostgresStore;
use internal_notifications_store::{InboxCommand, PublishLimits, Retention, Store, Sweep, Write};
use sqlx::{AssertSqlSafe, Connection};

use crate::fixture::{Schema, at, id, push, user};

/// How many rows all calls of the test may read in one table.
const MOST: i64 = 500;

/// Many inboxes with long logs, all of them unpublished.
const ROWS: &str = "INSERT INTO inboxes (user_id, seq, tag, pending) SELECT 'other-' || n, 20, 20, 20 FROM generate_series(1, 2000) n;
    INSERT INTO notifications (id, sender, digest, body, created_at)
        SELECT 'other-' || n, 'key:shop', '', '{\"content\":\"c\"}', 1 FROM generate_series(1, 20000) n;
    INSERT INTO deliveries (inbox, added, notification, created_at)
        SELECT i.key, n, n, 1 FROM inboxes i CROSS JOIN generate_series(1, 20) n WHERE user_id LIKE 'other-%';
    INSERT INTO changes (inbox, seq, tag, prev, pending, at)
        SELECT i.key, n, n, n - 1, n, 1 FROM inboxes i CROSS JOIN generate_series(1, 20) n WHERE user_id LIKE 'other-%';
    INSERT INTO publications (inbox, published, newest)
        SELECT key, 10, 20 FROM inboxes WHERE user_id LIKE 'other-%';
    INSERT INTO deliveries (inbox, added, notification, created_at)
        SELECT (SELECT key FROM inboxes WHERE user_id = 'zoe'), 1000 + n, n, 1 FROM generate_series(1000, 3000) n;
    INSERT INTO scheduled (notification, user_id, due_at)
        SELECT 1000000 + n, 'other-' || n, 9000000000000000 FROM generate_series(1, 2000) n;
    INSERT INTO idempotency (sender, key, request, answer, at) SELECT 'key:shop', 'other-' || n, '', '', 1 FROM generate_series(1, 2000) n;
    SELECT pg_stat_force_next_flush()";

// By name: without names, they would treat the tables of other tests at any time.
const VACUUM: &str = "VACUUM deliveries, changes, notifications, inboxes, publications, scheduled, orphans, withdrawals, idempotency, settings";
const ANALYZE: &str = "ANALYZE deliveries, changes, notifications, inboxes, publications, scheduled, orphans, withdrawals, idempotency, settings";

/// Takes every kind of step once, for the same few users each time.
async fn calls(store: &PostgresStore, round: i64) {
    let users = ["ada", "bob", "cyd", "dan", "zoe"];
    store.push(push(&format!("now-{round}"), &users)).await.unwrap();
    store.push(push(&format!("now-{round}"), &users)).await.unwrap();
    let mut later = push(&format!("later-{round}"), &users);
    later.notification.send_after = Some(at(100 + round));
    store.push(later).await.unwrap();
    while !store.advance(at(100 + round), 100).await.unwrap().is_idle() {}
    let now = id(&format!("now-{round}"));
    for command in [
        InboxCommand::Opened(vec![now.clone()]),
        InboxCommand::Unopened(vec![now.clone()]),
        InboxCommand::Remove(now),
    ] {
        let answer = store.write(&user("zoe"), Write::new(command, at(200))).await.unwrap();
        assert!(answer.seq.is_some());
    }
    assert!(store.retract(&id(&format!("later-{round}")), at(200)).await.unwrap().removed == 5);
    while !store.advance(at(200), 100).await.unwrap().is_idle() {}

    let claims: Vec<_> = users.iter().map(|name| (user(name), 0)).collect();
    let claimed = store.claim_unpublished(&claims, PublishLimits::new(50, 10_000)).await.unwrap();
    assert_eq!(claimed.len(), users.len());
    let first = claimed.iter().map(|of| (of.user_id.clone(), of.changes[0].stamp.seq)).collect::<Vec<_>>();
    assert_eq!(store.mark_published(&first).await.unwrap().len(), users.len());
    let last = claimed.iter().map(|of| (of.user_id.clone(), of.changes.last().unwrap().stamp.seq));
    assert_eq!(store.mark_published(&last.collect::<Vec<_>>()).await.unwrap(), []);

    store.unpublished_users(10).await.unwrap();
    store.page(&user("ada"), 10, None).await.unwrap();
    store.notification(&user("ada"), &id(&format!("now-{round}"))).await.unwrap();
    store.changes(&user("ada"), Position::default(), 10).await.unwrap();
    store.head(&user("ada")).await.unwrap();
    let sweep = Sweep::new(Retention::default(), at(200)).with_limit(2);
    store.sweep(sweep).await.unwrap();
}

/// Returns how many rows and index entries were read in each table.
async fn reads(schema: &Schema) -> BTreeMap<String, i64> {
    let sql = format!(
        "SELECT relname::text, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
             + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid))::bigint
         FROM pg_stat_user_tables t WHERE schemaname = '{}' AND idx_scan IS NOT NULL",
        schema.name
    );
    sqlx::query_as::<_, (String, i64)>(AssertSqlSafe(sql))
        .fetch_all(&mut schema.connect().await)
        .await
        .unwrap()
        .into_iter()
        .collect()
}

async fn reads_after_growth(prepare: &[&str]) {
    let Some(schema) = Schema::new() else { return };
    let store = schema.open(schema.options()).await;
    schema
        .sql(
            "DO $$ DECLARE t record; BEGIN
                 FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace LOOP
                     EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = false)', t.relname);
                 END LOOP;
             END $$",
        )
        .await;
    calls(&store, 0).await;
    store.close().await;
    for statement in prepare {
        schema.sql(statement).await;
    }
    // One connection, whose statements are all planned before the tables grow.
    let store = schema.open_with_generic_plans().await;
    calls(&store, 1).await;
    let mut filling = schema.connect().await;
    sqlx::raw_sql(ROWS).execute(&mut filling).await.unwrap();
    filling.close().await.unwrap();
    let before = reads(&schema).await;
    calls(&store, 2).await;
    // A connection reports what it read at its end.
    store.close().await;
    let connections =
        format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}'", schema.name);
    while schema.number(&connections).await > 0 {}
    let after = reads(&schema).await;
    let read: BTreeMap<_, _> = after.iter().map(|(table, read)| (table, read - before[table])).collect();
    assert!(read.values().all(|read| *read <= MOST), "{prepare:?}: {read:?}");
    assert!(read.values().sum::<i64>() > 50, "{read:?}");
}

#[tokio::test]
async fn plans_without_statistics_read_no_more_when_tables_have_grown() {
    reads_after_growth(&[]).await;
}

#[tokio::test]
async fn plans_for_few_rows_read_no_more_when_tables_have_grown() {
    reads_after_growth(&[VACUUM, ANALYZE]).await;
}

#[tokio::test]
async fn plans_for_empty_tables_read_no_more_when_tables_have_grown() {
    let delete = "TRUNCATE deliveries, changes, notifications, inboxes, publications, scheduled";
    reads_after_growth(&[delete, VACUUM, ANALYZE]).await;
}
