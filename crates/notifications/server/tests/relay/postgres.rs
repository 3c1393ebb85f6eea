use std::time::Duration;

use internal_notifications_models::InternalNotification;
use internal_notifications_outbox::Outbox;
use internal_notifications_server::config::OutboxDatabase;
use internal_notifications_server::relay::intent_source;
use sqlx::AssertSqlSafe;
use tokio::time::timeout;

use crate::inboxes::{Inboxes, eventually, named};
use crate::postgres_app::App;
use crate::{PATIENCE, assert_taken_up_to_a_size};

#[tokio::test]
async fn committed_intents_are_delivered_and_rolled_back_ones_are_not() {
    let Some(mut app) = App::new().await else { return };
    let inboxes = Inboxes::new().await;
    let relay = inboxes.relay(vec![app.intents()]);
    app.push(InternalNotification::new("first"), true).await;
    app.push(InternalNotification::new("never"), false).await;
    app.push(InternalNotification::new("second"), true).await;
    assert_eq!(inboxes.contents(2).await, ["first", "second"]);
    app.nothing_waits().await;
    assert_eq!((app.rows().await.len(), relay.failed()), (0, 0));
    relay.stop(PATIENCE).await;
    app.end().await;
}

#[tokio::test]
async fn an_app_that_crashes_leaves_only_what_it_committed() {
    let Some(mut app) = App::new().await else { return };
    let inboxes = Inboxes::new().await;
    app.push(InternalNotification::new("before any server ran"), true).await;
    app = app.dies_within_a_transaction(InternalNotification::new("never")).await;
    let relay = inboxes.relay(vec![app.intents()]);
    app.push(InternalNotification::new("after"), true).await;
    assert_eq!(inboxes.contents(2).await, ["before any server ran", "after"]);
    app.nothing_waits().await;
    assert_eq!(app.rows().await, []);
    relay.stop(PATIENCE).await;
    app.end().await;
}

#[tokio::test]
async fn a_commit_wakes_the_relay() {
    let Some(mut app) = App::new().await else { return };
    let inboxes = Inboxes::new().await;
    let relay = inboxes.relay(vec![app.intents()]);
    app.push(InternalNotification::new("it listens"), true).await;
    inboxes.contents(1).await;
    // It polls once a second: without notifications, twenty in a row would take twenty seconds.
    let in_a_row = async {
        for count in 2..=21 {
            app.push(InternalNotification::new("c"), true).await;
            inboxes.contents(count).await;
        }
    };
    timeout(Duration::from_secs(10), in_a_row).await.expect("each intent should be delivered on commit");
    relay.stop(PATIENCE).await;
    app.end().await;
}

#[tokio::test]
async fn two_servers_relay_each_intent_once() {
    let Some(mut app) = App::new().await else { return };
    let (one, other) = (Inboxes::new().await, Inboxes::new().await);
    let relays = [one.relay(vec![app.intents()]), other.relay(vec![app.intents()])];
    // The first server keeps its rows locked while it pushes.
    for number in 0..300 {
        app.push(named(&number.to_string(), &number.to_string()), true).await;
    }
    app.nothing_waits().await;
    let seqs = (one.seq().await, other.seq().await);
    assert_eq!(seqs.0 + seqs.1, 300, "{seqs:?}");
    println!("relayed by each: {seqs:?}");
    for relay in relays {
        relay.stop(PATIENCE).await;
    }
    app.end().await;
}

#[tokio::test]
async fn two_servers_over_the_same_inboxes_make_one_change_per_intent() {
    let Some(mut app) = App::new().await else { return };
    let schema = format!("{}_inboxes", app.schema);
    let servers = [Inboxes::in_schema(&app.url, &schema).await, Inboxes::in_schema(&app.url, &schema).await];
    let relays = servers.each_ref().map(|server| server.relay(vec![app.intents()]));
    for number in 0..200 {
        app.push(InternalNotification::new(number.to_string()), true).await;
    }
    app.nothing_waits().await;
    assert_eq!((servers[0].seq().await, app.rows().await.len()), (200, 0));
    for (relay, server) in relays.into_iter().zip(&servers) {
        relay.stop(PATIENCE).await;
        server.store.close().await;
    }
    app.run(format!("DROP SCHEMA {schema} CASCADE")).await;
    app.end().await;
}

#[tokio::test]
async fn one_server_at_a_time_takes_the_intents_of_a_table() {
    let Some(mut app) = App::new().await else { return };
    let (mut one, mut other) = (app.intents(), app.intents());
    for number in 0..3 {
        app.push(named(&number.to_string(), "c"), true).await;
    }
    let taken = one.take(2, &[]).await.unwrap();
    assert_eq!(taken.len(), 2);
    assert_eq!(other.take(2, &[]).await.unwrap(), [], "a later intent does not overtake those being pushed");
    other.settle(Vec::new()).await.unwrap();
    one.settle(Vec::new()).await.unwrap();
    assert_eq!(other.take(2, &[]).await.unwrap(), taken);
    other.settle(Vec::new()).await.unwrap();
    one.close().await;
    other.close().await;
    app.end().await;
}

#[tokio::test]
async fn intents_share_a_transaction_and_one_that_cannot_be_stored_blocks_no_other() {
    let Some(mut app) = App::new().await else { return };
    let schema = format!("{}_inboxes", app.schema);
    let inboxes = Inboxes::in_schema(&app.url, &schema).await;
    app.run(format!("ALTER TABLE {schema}.notifications ADD CONSTRAINT no CHECK (id <> '50')")).await;
    for number in 0..50 {
        app.push(named(&number.to_string(), &number.to_string()), true).await;
    }
    let relay = inboxes.relay(vec![app.intents()]);
    let mut expected: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    assert_eq!(inboxes.contents(50).await, expected);
    let transactions = format!("SELECT count(DISTINCT xmin::text) FROM {schema}.notifications");
    let transactions = sqlx::query_scalar(AssertSqlSafe(transactions)).fetch_one(&mut app.database);
    let transactions: i64 = transactions.await.unwrap();
    assert_eq!(transactions, 1);
    for number in 50..60 {
        app.push(named(&number.to_string(), &number.to_string()), true).await;
    }
    expected.extend((51..60).map(|number| number.to_string()));
    assert_eq!(inboxes.contents(59).await, expected);
    eventually("9 more are settled", async || relay.relayed() == 59).await;
    assert_eq!(app.rows().await, [("50".to_owned(), None)]);
    app.run(format!("ALTER TABLE {schema}.notifications DROP CONSTRAINT no")).await;
    app.nothing_waits().await;
    assert_eq!((inboxes.seq().await, app.rows().await.len(), relay.failed()), (60, 0, 0));
    relay.stop(PATIENCE).await;
    inboxes.store.close().await;
    app.run(format!("DROP SCHEMA {schema} CASCADE")).await;
    app.end().await;
}

#[tokio::test]
async fn a_hostile_row_is_marked_failed_and_does_not_block_others() {
    let Some(mut app) = App::new().await else { return };
    let inboxes = Inboxes::new().await;
    let insert = "INSERT INTO internal_notifications_intents (id, sender, user_ids, body)
        VALUES ('n', 'outbox:orders', '[\"ada\"]', '{\"content\":\"secret'), ('m', 'outbox:orders', '[\"ada\"]', repeat(' ', 2000000))";
    sqlx::raw_sql(insert).execute(&mut app.database).await.unwrap();
    app.push(InternalNotification::new("last"), true).await;
    let relay = inboxes.relay(vec![app.intents()]);
    assert_eq!(inboxes.contents(1).await, ["last"]);
    app.nothing_waits().await;
    let reasons: Vec<_> = app.rows().await.into_iter().filter_map(|row| row.1).collect();
    assert!(reasons[0].contains("not a notification") && !reasons[0].contains("secret"), "{reasons:?}");
    assert!(reasons[1].contains("too large") && reasons.len() == 2, "{reasons:?}");
    relay.stop(PATIENCE).await;
    app.end().await;
}

#[tokio::test]
async fn a_lost_connection_is_replaced() {
    let Some(mut app) = App::new().await else { return };
    let inboxes = Inboxes::new().await;
    let relay = inboxes.relay(vec![app.intents()]);
    app.push(InternalNotification::new("before"), true).await;
    inboxes.contents(1).await;
    // The relay waits for the locked table, which identifies its connection.
    app.run("BEGIN; LOCK TABLE internal_notifications_intents".to_owned()).await;
    eventually("the relay's connection is closed", async || {
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks
            WHERE relation = 'internal_notifications_intents'::regclass AND NOT granted";
        let ended: i64 = sqlx::query_scalar(end).fetch_one(&mut app.database).await.unwrap();
        ended == 1
    })
    .await;
    app.run("COMMIT".to_owned()).await;
    app.push(InternalNotification::new("after"), true).await;
    assert_eq!(inboxes.contents(2).await, ["before", "after"]);
    relay.stop(PATIENCE).await;
    app.end().await;
}

#[tokio::test]
async fn an_apps_table_is_created_by_the_app_and_found_later() {
    let Some(mut app) = App::without_table().await else { return };
    let inboxes = Inboxes::new().await;
    let down: OutboxDatabase = "postgres://nobody@127.0.0.1:1/nowhere".parse().unwrap();
    let relay = inboxes.relay(vec![intent_source(&down), app.intents()]);
    eventually("the relay has connected", async || {
        let query = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'internal-notifications relay'";
        sqlx::query(query).fetch_optional(&mut app.database).await.unwrap().is_some()
    })
    .await;
    Outbox::create_table(&mut app.database).await.unwrap();
    app.push(InternalNotification::new("found"), true).await;
    assert_eq!(inboxes.contents(1).await, ["found"]);
    relay.stop(PATIENCE).await;
    app.end().await;
}

#[tokio::test]
async fn a_servers_own_table_is_created_if_its_role_permits() {
    let Some(mut app) = App::without_table().await else { return };
    let role = format!("role_of_{}", app.schema);
    app.run(format!("CREATE ROLE {role}; GRANT USAGE ON SCHEMA {} TO {role}", app.schema)).await;
    let inboxes = Inboxes::new().await;
    let relay = inboxes.relay(vec![app.own_intents(&role)]);
    app.run(format!("GRANT CREATE ON SCHEMA {} TO {role}", app.schema)).await;
    eventually("the table is created", async || {
        let query = "SELECT 1 WHERE to_regclass('internal_notifications_intents') IS NOT NULL";
        sqlx::query(query).fetch_optional(&mut app.database).await.unwrap().is_some()
    })
    .await;
    app.push(InternalNotification::new("made"), true).await;
    assert_eq!(inboxes.contents(1).await, ["made"]);
    relay.stop(PATIENCE).await;
    app.run(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    app.end().await;
}

#[tokio::test]
async fn a_server_whose_role_may_not_create_tables_uses_an_existing_one() {
    let Some(mut app) = App::without_table().await else { return };
    let role = format!("role_of_{}", app.schema);
    app.run(format!("CREATE ROLE {role}; GRANT USAGE ON SCHEMA {} TO {role}", app.schema)).await;
    let inboxes = Inboxes::new().await;
    let relay = inboxes.relay(vec![app.own_intents(&role)]);
    Outbox::create_table(&mut app.database).await.unwrap();
    let table = "internal_notifications_intents";
    app.run(format!("GRANT SELECT, UPDATE, DELETE ON {table} TO {role}")).await;
    app.push(InternalNotification::new("granted"), true).await;
    assert_eq!(inboxes.contents(1).await, ["granted"]);
    app.nothing_waits().await;
    assert_eq!(app.rows().await, []);
    relay.stop(PATIENCE).await;
    app.run(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    app.end().await;
}

#[tokio::test]
async fn intents_are_taken_up_to_a_size_and_without_those_that_rest() {
    let Some(mut app) = App::new().await else { return };
    let insert = "INSERT INTO internal_notifications_intents (id, sender, user_ids, body)
        SELECT 'n' || n, 'outbox:orders', '[\"ada\"]', repeat('x', 1000000) FROM generate_series(1, 40) AS n";
    app.run(insert.to_owned()).await;
    let mut source = app.intents();
    assert_taken_up_to_a_size(&mut *source).await;
    source.close().await;
    app.end().await;
}
