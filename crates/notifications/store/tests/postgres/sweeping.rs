use internal_notifications_store::postgres::PostgresStore;
use internal_notifications_store::{
    Drift, InboxCommand, PassedOver, Retention, Store, StoreErrorKind, Sweep, Swept, Write,
};
use sqlx::Connection;

use crate::fixture::{Fixture, Schema, at, id, push, push_at, user};

const DAY: i64 = 24 * 60 * 60;

async fn inspected_inboxes(store: &PostgresStore) -> u64 {
    let sweep = Sweep::new(Retention::default(), at(1)).with_limit(10);
    let Swept { inboxes, next, .. } = store.sweep(sweep).await.unwrap();
    assert_eq!(next, None);
    inboxes
}

/// Sweeps all inboxes after the ids of this time are forgotten.
async fn sweep_ids_of(store: &PostgresStore, seconds: i64) -> Swept {
    let sweep = Sweep::new(Retention::unlimited(), at(seconds + 90 * DAY));
    let swept = store.sweep(sweep).await.unwrap();
    assert_eq!(swept.next, None);
    swept
}

async fn schedule(store: &PostgresStore, name: &str) {
    let mut later = push(name, &["ada"]);
    later.notification.send_after = Some(at(1_000 * DAY));
    store.push(later).await.unwrap();
}

/// Makes every statement that reads a delivery of this inbox fail with this SQLSTATE.
async fn fail_on_inbox(schema: &Schema, name: &str, sqlstate: &str) {
    let key = schema.number(&format!("SELECT key FROM inboxes WHERE user_id = '{name}'")).await;
    let sql = format!(
        "ALTER TABLE deliveries RENAME TO all_deliveries;
         CREATE FUNCTION is_readable(inbox bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
             IF inbox = {key} THEN RAISE EXCEPTION 'injected' USING ERRCODE = '{sqlstate}'; END IF;
             RETURN true;
         END $$;
         CREATE VIEW deliveries AS SELECT * FROM all_deliveries WHERE is_readable(inbox)"
    );
    schema.sql(&sql).await;
}

/// Returns a store with seven inboxes of three notifications, and one more in that of `u3`, which
/// cannot be read: that fails with this SQLSTATE.
async fn store_with_a_failing_inbox(schema: &Schema, sqlstate: &str) -> PostgresStore {
    let store = schema.open(schema.options()).await;
    for name in ["a", "b", "c"] {
        store.push(push(name, &["u0", "u1", "u2", "u3", "u4", "u5", "u6"])).await.unwrap();
    }
    store.push(push("only", &["u3"])).await.unwrap();
    for name in ["d", "e"] {
        schedule(&store, name).await;
        store.retract(&id(name), at(1)).await.unwrap();
    }
    store.close().await;
    fail_on_inbox(schema, "u3", sqlstate).await;
    schema.open(schema.options()).await
}

#[tokio::test]
async fn an_inbox_that_times_out_is_passed_over_and_all_others_are_swept() {
    let Some(schema) = Schema::new() else { return };
    // As PostgreSQL reports a statement that exceeds its time limit.
    let store = store_with_a_failing_inbox(&schema, "57014").await;
    let reason = "PostgreSQL cancelled the request (SQLSTATE 57014)";
    let failing = [PassedOver::new(user("u3"), 4, reason)];
    let two = Retention::unlimited().with_count(Some(2));
    let swept = store.sweep(Sweep::new(two, at(2))).await.unwrap();
    assert_eq!((swept.next, swept.inboxes, swept.pruned), (None, 6, 6));
    assert_eq!((swept.passed_over.as_slice(), swept.unforgotten), (&failing[..], 0));

    let one = Retention::unlimited().with_count(Some(1));
    let mut sweep = Sweep::new(one, at(3)).with_limit(2);
    let (mut pruned, mut passed_over) = (0, Vec::new());
    loop {
        let swept = store.sweep(sweep.clone()).await.unwrap();
        pruned += swept.pruned;
        passed_over.extend(swept.passed_over);
        sweep.after = swept.next;
        if sweep.after.is_none() {
            break;
        }
    }
    assert_eq!((pruned, passed_over.as_slice()), (6, &failing[..]), "the cursor passes over it too");
}

#[tokio::test]
async fn a_notification_that_cannot_be_forgotten_does_not_keep_the_others() {
    let Some(schema) = Schema::new() else { return };
    let store = store_with_a_failing_inbox(&schema, "57014").await;
    schema.sql("INSERT INTO orphans SELECT key, 0 FROM notifications WHERE id = 'only'").await;
    let swept = sweep_ids_of(&store, 1).await;
    assert_eq!((swept.forgotten, swept.unforgotten, swept.passed_over.len()), (2, 1, 1));
    let swept = sweep_ids_of(&store, 1).await;
    assert_eq!((swept.forgotten, swept.unforgotten), (0, 1), "the next pass tries again");
}

#[tokio::test]
async fn a_notification_that_cannot_be_searched_does_not_keep_the_orphans_after_it() {
    let Some(schema) = Schema::new() else { return };
    let store = store_with_a_failing_inbox(&schema, "57014").await;
    // As of an earlier version, which noted no orphans.
    schema.sql("DELETE FROM orphans").await;
    let mut unforgotten = 0;
    let mut passes = 0;
    while schema.number("SELECT count(*) FROM notifications").await > 4 && passes < 10 {
        unforgotten += sweep_ids_of(&store, 1).await.unforgotten;
        passes += 1;
    }
    assert_eq!((unforgotten, schema.number("SELECT count(*) FROM notifications").await), (1, 4));
}

#[tokio::test]
async fn a_repaired_drift_is_reported_though_the_sweep_failed_after_it() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.push("a", &["ada"]).await;
    fixture.schema.sql("UPDATE inboxes SET pending = 7; ALTER TABLE idempotency RENAME TO hidden").await;
    let sweep = || fixture.store.sweep(Sweep::new(Retention::unlimited(), at(1)));
    sweep().await.unwrap_err();
    assert_eq!(fixture.schema.number("SELECT pending FROM inboxes").await, 1);
    fixture.schema.sql("ALTER TABLE hidden RENAME TO idempotency").await;
    assert_eq!(sweep().await.unwrap().drifts, [Drift::new(user("ada"), 7, 1)]);
    assert_eq!(sweep().await.unwrap().drifts, []);
}

#[tokio::test]
async fn an_id_without_a_note_about_its_withdrawal_is_remembered_as_long() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.push("n", &["ada"]).await;
    fixture.store.write(&user("ada"), Write::new(InboxCommand::Remove(id("n")), at(1))).await.unwrap();
    fixture.store.retract(&id("n"), at(50 * DAY)).await.unwrap();
    // As of an earlier version, which noted no orphans.
    fixture.schema.sql("DELETE FROM orphans; DELETE FROM publications").await;
    let cut = Retention::unlimited().with_log_count(Some(0));
    let forgotten = async |days| {
        let sweep = Sweep::new(cut.clone(), at(days * DAY));
        fixture.store.sweep(sweep).await.unwrap().forgotten
    };
    assert_eq!((forgotten(91).await, forgotten(139).await, forgotten(140).await), (0, 0, 1));
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_no_inbox_is_passed_over() {
    let Some(schema) = Schema::new() else { return };
    let store = store_with_a_failing_inbox(&schema, "53100").await;
    let error = store.sweep(Sweep::new(Retention::default(), at(2))).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::DiskFull);
}

#[tokio::test]
async fn a_large_removal_is_made_of_bounded_transactions() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.push("n", &["ada"]).await;
    // 10,000 more notifications, all published.
    fixture
        .schema
        .sql(
            "INSERT INTO notifications (id, sender, digest, body, created_at)
             SELECT n, 'key:shop', '', '{\"content\": \"c\"}', 1700000000000 FROM generate_series(2, 10001) n;
             INSERT INTO deliveries (inbox, added, notification, created_at)
             SELECT (SELECT key FROM inboxes), id::bigint, key, created_at FROM notifications WHERE id <> 'n';
             INSERT INTO changes (inbox, seq, tag, prev, pending, at)
             SELECT inbox, added, added, added - 1, added, created_at FROM deliveries WHERE added > 1;
             UPDATE inboxes SET seq = 10001, tag = 10001, pending = 10001;
             DELETE FROM publications",
        )
        .await;
    let keep = Retention::unlimited().with_count(Some(10)).with_log_count(Some(5));
    let swept = fixture.store.sweep(Sweep::new(keep, at(1))).await.unwrap();
    // Twenty changes record the removals. They are not published, so they stay.
    assert_eq!((swept.pruned, swept.trimmed, swept.drifts.len()), (9_991, 10_001, 0));
    let largest = "SELECT max(n) FROM (SELECT count(*) AS n FROM deliveries WHERE removed_at IS NOT NULL GROUP BY xmin::text) t";
    assert_eq!(fixture.schema.number(largest).await, 2_000);
    assert_eq!(fixture.schema.number("SELECT pending FROM inboxes").await, 10);
    assert_eq!(fixture.schema.number("SELECT count(*) FROM changes").await, 20);
}

#[tokio::test]
async fn a_cancelled_notification_is_forgotten_in_time_however_many_others_there_are() {
    let Some(fixture) = Fixture::new().await else { return };
    let many = "INSERT INTO notifications (id, sender, digest, body, created_at)
                SELECT n, 'key:shop', '', '{}', 1700000000000 FROM generate_series(1, 30001) n;
                INSERT INTO scheduled (notification, user_id, due_at) SELECT key, 'bob', 9000000000000 FROM notifications";
    fixture.schema.sql(many).await;
    schedule(&fixture.store, "n").await;
    fixture.store.retract(&id("n"), at(1)).await.unwrap();
    // As after a restart, which a cursor in memory would not survive.
    fixture.store.close().await;
    let store = fixture.schema.open(fixture.schema.options()).await;
    assert_eq!(sweep_ids_of(&store, 0).await.forgotten, 0);
    assert_eq!(sweep_ids_of(&store, 1).await.forgotten, 1);
    assert_eq!(fixture.schema.number("SELECT count(*) FROM notifications").await, 30_001);
    assert_eq!(fixture.schema.number("SELECT count(*) FROM orphans").await, 0);
}

#[tokio::test]
async fn orphans_that_were_never_noted_are_searched_where_an_earlier_server_stopped() {
    let Some(fixture) = Fixture::new().await else { return };
    // The first 10,000 are scheduled, the others are orphans.
    let many = "INSERT INTO notifications (id, sender, digest, body, created_at)
                SELECT n, 'key:shop', '', '{}', 1700000000000 FROM generate_series(1, 35000) n;
                INSERT INTO scheduled (notification, user_id, due_at)
                SELECT key, 'bob', 9000000000000 FROM notifications WHERE id::bigint <= 10000";
    fixture.schema.sql(many).await;
    assert_eq!(sweep_ids_of(&fixture.store, 0).await.forgotten, 0);
    fixture.store.close().await;
    let store = fixture.schema.open(fixture.schema.options()).await;
    assert_eq!(sweep_ids_of(&store, 0).await.forgotten, 25_000, "it goes on as long as it finds some");
    assert_eq!(fixture.schema.number("SELECT count(*) FROM notifications").await, 10_000);
}

#[tokio::test]
async fn a_notification_that_is_being_pushed_again_is_not_forgotten() {
    let Some(fixture) = Fixture::new().await else { return };
    schedule(&fixture.store, "n").await;
    fixture.store.retract(&id("n"), at(1)).await.unwrap();
    let mut pusher = fixture.schema.connect().await;
    let mut pushing = pusher.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM notifications FOR SHARE").execute(&mut *pushing).await.unwrap();
    assert_eq!(sweep_ids_of(&fixture.store, 1).await.forgotten, 0);
    pushing.rollback().await.unwrap();
    assert_eq!(sweep_ids_of(&fixture.store, 1).await.forgotten, 1, "it is still noted");
    assert_eq!(fixture.push("n", &["ada"]).await.accepted, 1, "its id can be used again");
}

#[tokio::test]
async fn a_note_that_is_being_renewed_is_not_lost() {
    let Some(fixture) = Fixture::new().await else { return };
    schedule(&fixture.store, "n").await;
    fixture.store.retract(&id("n"), at(1)).await.unwrap();
    let mut withdrawer = fixture.schema.connect().await;
    let mut withdrawing = withdrawer.begin().await.unwrap();
    let later = "UPDATE orphans SET at = $1";
    sqlx::query(later).bind(at(5).as_millisecond()).execute(&mut *withdrawing).await.unwrap();
    assert_eq!(sweep_ids_of(&fixture.store, 1).await.forgotten, 0);
    withdrawing.commit().await.unwrap();
    assert_eq!(sweep_ids_of(&fixture.store, 4).await.forgotten, 0);
    assert_eq!(sweep_ids_of(&fixture.store, 5).await.forgotten, 1);
}

#[tokio::test]
async fn only_one_of_several_servers_sweeps() {
    let Some(schema) = Schema::new() else { return };
    let (first, second) = (schema.open(schema.options()).await, schema.open(schema.options()).await);
    first.push(push("n", &["ada", "bob"])).await.unwrap();
    for _ in 0..2 {
        assert_eq!((inspected_inboxes(&first).await, inspected_inboxes(&second).await), (2, 0));
    }
    // A dropped store keeps its turn for a while.
    let end_turn =
        "UPDATE settings SET value = split_part(value, ' ', 1) || ' 1700000000.5' WHERE name = 'sweeper'";
    schema.sql(end_turn).await;
    assert_eq!((inspected_inboxes(&second).await, inspected_inboxes(&first).await), (2, 0));
    // A closed store ends its turn at once.
    second.close().await;
    assert_eq!(inspected_inboxes(&first).await, 2);
}

#[tokio::test]
async fn a_pass_forgets_every_old_idempotency_key() {
    let Some(fixture) = Fixture::new().await else { return };
    let sql = "INSERT INTO idempotency (sender, key, request, answer, at)
               SELECT 'key:shop', n, '', '', n / 12000 * $1 FROM generate_series(1, 12000) n";
    sqlx::query(sql).bind(at(0).as_millisecond()).execute(&mut fixture.schema.connect().await).await.unwrap();
    inspected_inboxes(&fixture.store).await;
    assert_eq!(
        fixture.schema.number("SELECT count(*) FROM idempotency").await,
        1,
        "only the recent key remains"
    );
}

#[tokio::test]
async fn orphans_of_an_older_schema_are_found() {
    let Some(fixture) = Fixture::new().await else { return };
    schedule(&fixture.store, "cancelled").await;
    schedule(&fixture.store, "to-come").await;
    fixture.store.push(push_at(at(1), push("received", &["ada"]))).await.unwrap();
    fixture.store.retract(&id("cancelled"), at(1)).await.unwrap();
    fixture.store.close().await;
    // Newer migrations may be there already.
    fixture.schema.sql("DROP TABLE orphans; DELETE FROM _sqlx_migrations WHERE version = 3").await;
    let store = fixture.schema.open(fixture.schema.options()).await;
    assert_eq!(sweep_ids_of(&store, 0).await.forgotten, 0, "it was retracted later than it was pushed");
    assert_eq!(sweep_ids_of(&store, 1).await.forgotten, 1);
    assert_eq!(fixture.schema.number("SELECT count(*) FROM notifications").await, 2);
}

#[tokio::test]
async fn user_ids_that_cannot_be_read_keep_no_other_inbox_from_being_swept_and_published() {
    let Some(Fixture { store, schema }) = Fixture::new().await else { return };
    for name in ["a", "b"] {
        store.push(push(name, &["a", "b1", "b2", "b3", "c", "d1", "d2"])).await.unwrap();
    }
    // As a damaged database may have them: with control characters, or too long.
    schema
        .sql("UPDATE inboxes SET user_id = user_id || repeat('x', 1000) || chr(10) WHERE user_id ~ '^[bd]'")
        .await;
    let one = Retention::unlimited().with_count(Some(1));
    for limit in [1, 2, 3, 4, 100] {
        let mut sweep = Sweep::new(one.clone(), at(2)).with_limit(limit);
        let (mut inboxes, mut unreadable, mut passes) = (0, 0, 0);
        loop {
            let swept = store.sweep(sweep.clone()).await.unwrap();
            assert_eq!(swept.passed_over, []);
            (inboxes, unreadable, passes) =
                (inboxes + swept.inboxes, unreadable + swept.unreadable, passes + 1);
            let Some(next) = swept.next else { break };
            assert!(passes < 9, "the sweep goes round");
            sweep = sweep.with_after(Some(next));
        }
        assert_eq!((inboxes, unreadable), (2, 5), "{limit}");
    }
    for name in ["a", "c"] {
        assert_eq!(store.page(&user(name), 9, None).await.unwrap().notifications.len(), 1, "{name}");
    }
    // Unreadable users take no place in a page, wherever it begins.
    for limit in [9, 2, 2, 2] {
        let mut behind = store.unpublished_users(limit).await.unwrap();
        behind.sort();
        assert_eq!(behind, [user("a"), user("c")], "{limit}");
    }
    let mut turns = Vec::new();
    for _ in 0..4 {
        turns.extend(store.unpublished_users(1).await.unwrap());
    }
    assert_eq!((&turns[..2], turns.len()), (&turns[2..], 4));
    assert_ne!(turns[0], turns[1]);
}
