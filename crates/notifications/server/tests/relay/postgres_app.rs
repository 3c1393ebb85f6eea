use std::sync::atomic::{AtomicU32, Ordering};

use internal_notifications_models::InternalNotification;
use internal_notifications_outbox::Outbox;
use internal_notifications_server::config::OutboxDatabase;
use internal_notifications_server::relay::{IntentSource, intent_source, own_intent_source};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::inboxes::{ada, eventually};

/// An app with its own schema in the test database.
pub(crate) struct App {
    pub(crate) database: PgConnection,
    pub(crate) schema: String,
    pub(crate) url: String,
    outbox: Outbox,
}

impl App {
    /// Returns `None`, and prints why, without a test database.
    pub(crate) async fn new() -> Option<Self> {
        let mut app = Self::without_table().await?;
        Outbox::create_table(&mut app.database).await.unwrap();
        Some(app)
    }

    pub(crate) async fn without_table() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(url) = std::env::var("TEST_POSTGRES_URL") else {
            println!("skipped: TEST_POSTGRES_URL is not set");
            return None;
        };
        let schema = format!("relay_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect(&url).await.unwrap();
        let create = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut admin).await.unwrap();
        let and = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{and}options[search_path]={schema}");
        let database = PgConnection::connect(&url).await.unwrap();
        Some(Self { database, schema, url, outbox: Outbox::new("orders").unwrap() })
    }

    pub(crate) fn intents(&self) -> Box<dyn IntentSource> {
        intent_source(&self.url.parse::<OutboxDatabase>().unwrap())
    }

    /// Returns the source for a server's own database, with this role.
    pub(crate) fn own_intents(&self, role: &str) -> Box<dyn IntentSource> {
        let url = format!("{}&options[role]={role}", self.url);
        own_intent_source(&url.parse::<OutboxDatabase>().unwrap())
    }

    pub(crate) async fn run(&mut self, sql: String) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.database).await.unwrap();
    }

    pub(crate) async fn push(&mut self, notification: InternalNotification, commit: bool) {
        let mut transaction = self.database.begin().await.unwrap();
        self.outbox.push(&mut *transaction, &[ada()], &notification).await.unwrap();
        if commit {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
    }

    /// Disconnects after the insert, within the transaction, and connects again.
    pub(crate) async fn dies_within_a_transaction(self, notification: InternalNotification) -> Self {
        let Self { mut database, schema, url, outbox } = self;
        sqlx::raw_sql("BEGIN").execute(&mut database).await.unwrap();
        outbox.push(&mut database, &[ada()], &notification).await.unwrap();
        drop(database);
        Self { database: PgConnection::connect(&url).await.unwrap(), schema, url, outbox }
    }

    /// Returns the remaining rows: id and reason.
    pub(crate) async fn rows(&mut self) -> Vec<(String, Option<String>)> {
        let rows = "SELECT id, failed FROM internal_notifications_intents ORDER BY key";
        sqlx::query_as(rows).fetch_all(&mut self.database).await.unwrap()
    }

    pub(crate) async fn nothing_waits(&mut self) {
        eventually("no row waits", async || self.rows().await.iter().all(|(_, failed)| failed.is_some()))
            .await;
    }

    pub(crate) async fn end(mut self) {
        self.run(format!("DROP SCHEMA {} CASCADE", self.schema)).await;
    }
}
