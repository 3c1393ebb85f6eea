use internal_notifications_models::{ChangeKind, Position, RemovedReason};
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_store::{InboxCommand, Retention, Store, Sweep};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqlSafeStr, SqliteConnection};

use crate::fixture::{Fixture, at, id, ids, push, user};

/// A database of the first version: `a` opened, `b` removed, `c` pending and not yet published.
const ROWS: &str = r#"
    INSERT INTO notifications (key, id, sender, digest, body, created_at) SELECT value ->> 0, value ->> 1, 'key:shop', unhex(value ->> 2),
        '{"buttons":[],"content":"about ' || (value ->> 1) || '","heading":null,"image_url":null,"opened":false,"payload":null,"send_after":null}', 1700000000000
        FROM json_each('[[1,"a","00"],[2,"b","01"],[3,"c","02"]]');
    INSERT INTO inboxes (key, user_id, seq, tag, pending) VALUES (1, 'ada', 5, 15, 1);
    INSERT INTO deliveries (inbox, added, notification, created_at, opened_at, removed_at) VALUES
        (1, 1, 1, 1700000000000, 1700000050000, NULL), (1, 2, 2, 1700000000000, NULL, 1700000050000), (1, 5, 3, 1700000000000, NULL, NULL);
    INSERT INTO changes (inbox, seq, tag, prev, pending, at, detail, op) VALUES
        (1, 1, 11, NULL, 1, 1700000000000, NULL, NULL), (1, 2, 12, 11, 2, 1700000000000, NULL, NULL),
        (1, 3, 13, 12, 1, 1700000050000, '{"kind":"opened","ids":["a"]}', 'op-1'),
        (1, 4, 14, 13, 0, 1700000050000, '{"kind":"removed","ids":["b"],"reason":"user"}', NULL),
        (1, 5, 15, 14, 1, 1700000000000, NULL, NULL);
    INSERT INTO publications (inbox, published) VALUES (1, 4);
    INSERT INTO settings (name, value) VALUES ('app_secret', 'kept');
"#;

async fn fixture_of_version_one(more_sql: &str) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let sql = include_str!("../../migrations/sqlite/0001_inboxes.sql").into_sql_str();
    let first = Migration::new(1, "inboxes".into(), MigrationType::Simple, sql, false);
    Migrator::with_migrations(vec![first]).run(&mut connection).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(more_sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let store = SqliteStore::open(path.to_str().unwrap(), SqliteOptions::default()).await.unwrap();
    Fixture { store, folder }
}

#[tokio::test]
async fn a_database_of_the_first_version_opens_with_all_its_data() {
    let fixture = fixture_of_version_one("").await;
    assert_eq!(fixture.ids("ada").await, ["c", "a"]);
    let opened = fixture.store.notification(&user("ada"), &id("a")).await.unwrap().unwrap();
    assert_eq!((opened.opened_at, opened.sender.as_str()), (Some(at(50)), "key:shop"));
    let log = fixture.log("ada").await;
    assert!(log.windows(2).all(|pair| pair[1].stamp.follows(pair[0].stamp.position())));
    assert_eq!(log[2].kind, ChangeKind::Opened { ids: ids(&["a"]) });
    assert_eq!(log[3].kind, ChangeKind::Removed { ids: ids(&["b"]), reason: RemovedReason::User });
    assert_eq!(fixture.store.head(&user("ada")).await.unwrap().pending, 1);
    assert_eq!(fixture.store.unpublished_users(10).await.unwrap(), [user("ada")]);
    assert!(fixture.store.unpublished_age().await.unwrap() < Some(std::time::Duration::from_secs(600)));
    assert_eq!(fixture.store.get_or_insert_setting("app_secret", "new".to_owned()).await.unwrap(), "kept");
}

#[tokio::test]
async fn a_database_of_the_first_version_accepts_new_changes() {
    let fixture = fixture_of_version_one("").await;
    let repeated = fixture.write_as("ada", "op-1", InboxCommand::Remove(id("a"))).await.unwrap();
    assert_eq!(repeated.seq, None, "the first version already executed it");
    let mut later = push("d", &["ada"]);
    later.notification.send_after = Some(at(100));
    assert_eq!(fixture.store.push(later).await.unwrap().scheduled, 1);
    assert_eq!(fixture.store.advance(at(100), 10).await.unwrap().delivered, 1);
    assert_eq!(fixture.store.retract(&id("c"), at(101)).await.unwrap().removed, 1);
    let after = Position { seq: 5, tag: Some(internal_notifications_models::Tag::from_bits(15)) };
    let (changes, _) = fixture.changes("ada", after, 10).await;
    assert_eq!(changes.iter().map(|change| change.stamp.seq).collect::<Vec<_>>(), [6, 7]);
    assert_eq!(fixture.ids("ada").await, ["d", "a"]);
}

#[tokio::test]
async fn an_invalid_value_of_a_newer_field_does_not_make_an_inbox_unreadable() {
    let fixture = fixture_of_version_one(
        r#"UPDATE notifications SET body = json_set(body, '$.expires_at', 'soon', '$.color', 'red') WHERE id = 'a';
        UPDATE notifications SET body = json_set(body, '$.expires_at', '2026-02-30T00:00:00Z') WHERE id = 'b';
        UPDATE notifications SET body = json_set(body, '$.expires_at', '2026-01-31T11:30:00.25+02:00') WHERE id = 'c';"#,
    )
    .await;
    let a = fixture.store.notification(&user("ada"), &id("a")).await.unwrap().unwrap();
    assert_eq!((a.expires_at, a.extra["color"].as_str()), (None, "\"red\""));
    let c = fixture.store.notification(&user("ada"), &id("c")).await.unwrap().unwrap();
    assert_eq!(c.expires_at, Some("2026-01-31T09:30:00.25Z".parse().unwrap()));
    assert_eq!((fixture.ids("ada").await.len(), fixture.log("ada").await.len()), (2, 5));
}

#[tokio::test]
async fn an_orphan_of_an_older_version_is_forgotten_when_its_id_is() {
    let orphan = "INSERT INTO notifications (key, id, sender, digest, body, created_at)
                  VALUES (4, 'd', 'key:shop', x'03', '{}', 1700000000000)";
    let fixture = fixture_of_version_one(orphan).await;
    let forgotten = async |days: i64| {
        let sweep = Sweep::new(Retention::unlimited(), at(days * 24 * 60 * 60));
        fixture.store.sweep(sweep).await.unwrap().forgotten
    };
    assert_eq!((forgotten(89).await, forgotten(90).await), (0, 1));
    assert_eq!(fixture.count("notifications").await, 3);
}
