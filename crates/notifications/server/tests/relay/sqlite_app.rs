use std::path::{Path, PathBuf};

use internal_notifications_models::InternalNotification;
use internal_notifications_outbox::Outbox;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::inboxes::{ada, eventually};

/// An app with a connection to its SQLite file.
pub(crate) struct App {
    pub(crate) database: SqliteConnection,
    outbox: Outbox,
}

impl App {
    /// Creates a file in this folder.
    pub(crate) async fn with_own_file(folder: &Path) -> (Self, PathBuf) {
        let file = folder.join("app.db");
        let mut app = Self::at(&file, true).await;
        Outbox::create_table(&mut app.database).await.unwrap();
        (app, file)
    }

    pub(crate) async fn at(file: &Path, create: bool) -> Self {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(create);
        Self { database: options.connect().await.unwrap(), outbox: Outbox::new("orders").unwrap() }
    }

    /// Pushes in its own transaction, and commits it or rolls it back.
    pub(crate) async fn push(&mut self, notification: InternalNotification, commit: bool) {
        let mut transaction = self.database.begin_with("BEGIN IMMEDIATE").await.unwrap();
        self.outbox.push(&mut *transaction, &[ada()], &notification).await.unwrap();
        if commit {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
    }

    pub(crate) async fn insert(&mut self, id: &str, sender: &str, user_ids: &str, body: &[u8]) {
        let insert =
            "INSERT INTO internal_notifications_intents (id, sender, user_ids, body) VALUES (?, ?, ?, ?)";
        let insert = sqlx::query(insert).bind(id).bind(sender).bind(user_ids).bind(body);
        insert.execute(&mut self.database).await.unwrap();
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
}
