//! Tests the SQL statement that the README of internal-notifications-outbox documents.

use internal_notifications_server::config::OutboxDatabase;
use internal_notifications_server::relay::intent_source;

use crate::inboxes::Inboxes;
use crate::{postgres_app, sqlite_app};

/// Returns the statement in the README, which is the same for both databases.
fn documented_insert() -> &'static str {
    let readme = include_str!("../../../outbox/README.md");
    let (_, block) = readme.split_once("```sql\n").unwrap();
    block.split_once("```").unwrap().0
}

#[tokio::test]
async fn the_documented_insert_into_a_sqlite_file_is_delivered() {
    let inboxes = Inboxes::new().await;
    let (mut app, file) = sqlite_app::App::with_own_file(inboxes.folder()).await;
    sqlx::raw_sql(documented_insert()).execute(&mut app.database).await.unwrap();
    let url: OutboxDatabase = format!("sqlite://{}", file.display()).parse().unwrap();
    let _relay = inboxes.relay(vec![intent_source(&url)]);
    assert_eq!(inboxes.contents(1).await, ["Thank you for your order"]);
}

#[tokio::test]
async fn the_documented_insert_into_postgresql_is_delivered() {
    let Some(mut app) = postgres_app::App::new().await else { return };
    let inboxes = Inboxes::new().await;
    sqlx::raw_sql(documented_insert()).execute(&mut app.database).await.unwrap();
    let relay = inboxes.relay(vec![app.intents()]);
    assert_eq!(inboxes.contents(1).await, ["Thank you for your order"]);
    relay.stop(crate::PATIENCE).await;
    app.end().await;
}
