use std::env;

use internal_notifications_outbox::postgres::CHANNEL;
use internal_notifications_outbox::{InternalNotification, Outbox};
use sqlx::postgres::PgListener;
use sqlx::{Connection, PgConnection, PgPool};

use super::{ROWS, Row, assert_generated, assert_written, push};

/// Connects with a temporary schema, or returns `None` without PostgreSQL.
async fn database() -> Option<PgConnection> {
    let Ok(url) = env::var("TEST_POSTGRES_URL") else {
        println!("skipped: TEST_POSTGRES_URL is not set");
        return None;
    };
    let mut database = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("SET search_path = pg_temp").execute(&mut database).await.unwrap();
    Outbox::create_table(&mut database).await.unwrap();
    Some(database)
}

#[tokio::test]
async fn an_intent_is_stored_when_its_transaction_commits() {
    let Some(mut database) = database().await else { return };
    let mut transaction = database.begin().await.unwrap();
    push(&mut *transaction, InternalNotification::new("never")).await;
    transaction.rollback().await.unwrap();

    let mut transaction = database.begin().await.unwrap();
    let notification = InternalNotification::new("kept \u{0} é").with_id("order-1".parse().unwrap());
    let id = push(&mut *transaction, notification).await;
    transaction.commit().await.unwrap();

    Outbox::create_table(&mut database).await.unwrap();
    let rows: Vec<Row> = sqlx::query_as(ROWS).fetch_all(&mut database).await.unwrap();
    assert_eq!((rows.len(), id.as_str()), (1, "order-1"));
    assert_written(&rows[0], &id, "kept \u{0} é");
}

#[tokio::test]
async fn a_notification_without_an_id_gets_a_uuid() {
    let Some(mut database) = database().await else { return };
    let mut ids = Vec::new();
    for _ in 0..200 {
        ids.push(push(&mut database, InternalNotification::new("c")).await);
    }
    let rows: Vec<Row> = sqlx::query_as(ROWS).fetch_all(&mut database).await.unwrap();
    rows.iter().zip(&ids).for_each(|(row, id)| assert_written(row, id, "c"));
    assert_generated(ids);
}

#[tokio::test]
async fn a_commit_notifies_the_channel() {
    let Some(mut database) = database().await else { return };
    let pool = PgPool::connect(&env::var("TEST_POSTGRES_URL").unwrap()).await.unwrap();
    let mut listener = PgListener::connect_with(&pool).await.unwrap();
    listener.listen(CHANNEL).await.unwrap();
    push(&mut database, InternalNotification::new("c")).await;
    assert_eq!(listener.recv().await.unwrap().channel(), CHANNEL);
}

#[tokio::test]
async fn concurrent_calls_create_the_table_once() {
    let Some(_) = database().await else { return };
    let url = env::var("TEST_POSTGRES_URL").unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let schema = format!("outbox_{}", std::process::id());
    let set = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::raw_sql(set).execute(&mut admin).await.unwrap();
    let making = (0..8).map(|_| {
        let (url, schema) = (url.clone(), schema.clone());
        tokio::spawn(async move {
            let mut database = PgConnection::connect(&url).await.unwrap();
            let path = sqlx::AssertSqlSafe(format!("SET search_path = {schema}"));
            sqlx::raw_sql(path).execute(&mut database).await.unwrap();
            Outbox::create_table(&mut database).await
        })
    });
    let mut made = Vec::new();
    for making in making.collect::<Vec<_>>() {
        made.push(making.await.unwrap());
    }
    let gone = sqlx::AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"));
    sqlx::raw_sql(gone).execute(&mut admin).await.unwrap();
    made.into_iter().for_each(|made| made.unwrap());
}
