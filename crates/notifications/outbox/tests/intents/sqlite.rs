use internal_notifications_outbox::{InternalNotification, Outbox, OutboxErrorKind};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

use super::{ROWS, Row, assert_generated, assert_written, push};

async fn database() -> (SqliteConnection, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("app.db")).create_if_missing(true);
    let mut database = options.connect().await.unwrap();
    Outbox::create_table(&mut database).await.unwrap();
    (database, folder)
}

#[tokio::test]
async fn an_intent_is_stored_when_its_transaction_commits() {
    let (mut database, _folder) = database().await;
    let mut transaction = database.begin().await.unwrap();
    push(&mut *transaction, InternalNotification::new("never")).await;
    transaction.rollback().await.unwrap();

    let mut transaction = database.begin().await.unwrap();
    let notification = InternalNotification::new("kept").with_id("order-1".parse().unwrap());
    let id = push(&mut *transaction, notification).await;
    transaction.commit().await.unwrap();

    Outbox::create_table(&mut database).await.unwrap();
    let rows: Vec<Row> = sqlx::query_as(ROWS).fetch_all(&mut database).await.unwrap();
    assert_eq!((rows.len(), id.as_str()), (1, "order-1"));
    assert_written(&rows[0], &id, "kept");
}

#[tokio::test]
async fn a_notification_without_an_id_gets_a_uuid() {
    let (mut database, _folder) = database().await;
    let mut ids = Vec::new();
    for _ in 0..200 {
        ids.push(push(&mut database, InternalNotification::new("c")).await);
    }
    let rows: Vec<Row> = sqlx::query_as(ROWS).fetch_all(&mut database).await.unwrap();
    rows.iter().zip(&ids).for_each(|(row, id)| assert_written(row, id, "c"));
    assert_generated(ids);
}

#[tokio::test]
async fn a_missing_table_is_an_error_with_its_source() {
    let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let outbox = Outbox::new("orders").unwrap();
    let error =
        outbox.push(&mut database, &super::users(), &InternalNotification::new("c")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (OutboxErrorKind::Database, false));
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("no such table"));
}
