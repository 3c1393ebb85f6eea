//! A store in a temporary folder, with short helpers for tests.

use std::path::PathBuf;

use internal_notifications_models::{
    Change, ChangesAnswer, NotificationId, OpId, Position, Receipt, ResetReason, WriteAnswer,
};
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_store::{InboxCommand, Store, StoreError, Write};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tempfile::TempDir;

pub(crate) use crate::values::{at, id, push, user};

pub(crate) struct Fixture {
    pub(crate) store: SqliteStore,
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(SqliteOptions::default()).await
    }

    pub(crate) async fn with(options: SqliteOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("inbox.db").display());
        Self { store: SqliteStore::open(&url, options).await.unwrap(), folder }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("inbox.db")
    }

    /// Opens another connection to the same file, as another program would.
    pub(crate) async fn connect(&self) -> SqliteConnection {
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(self.file())).await.unwrap()
    }

    pub(crate) async fn sql(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connect().await).await.unwrap();
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(sql).fetch_one(&mut self.connect().await).await.unwrap()
    }

    pub(crate) async fn push(&self, name: &str, users: &[&str]) -> Receipt {
        self.store.push(push(name, users)).await.unwrap()
    }

    pub(crate) async fn write(&self, name: &str, command: InboxCommand) -> Result<WriteAnswer, StoreError> {
        self.store.write(&user(name), Write::new(command, at(50))).await
    }

    pub(crate) async fn write_as(
        &self,
        name: &str,
        op: &str,
        command: InboxCommand,
    ) -> Result<WriteAnswer, StoreError> {
        let op = Some(OpId::new(op).unwrap());
        self.store.write(&user(name), Write::new(command, at(60)).with_op(op)).await
    }

    /// Returns the changes after a position, and panics on a reset.
    pub(crate) async fn changes(&self, name: &str, after: Position, limit: usize) -> (Vec<Change>, bool) {
        match self.store.changes(&user(name), after, limit).await.unwrap() {
            ChangesAnswer::Changes { changes, more, .. } => (changes, more),
            ChangesAnswer::Reset { reason, .. } => panic!("reset: {reason:?}"),
        }
    }

    pub(crate) async fn log(&self, name: &str) -> Vec<Change> {
        self.changes(name, Position::default(), 500).await.0
    }

    /// Returns the reason if changes after a position are answered with a reset.
    pub(crate) async fn reset(&self, name: &str, after: Position) -> Option<ResetReason> {
        match self.store.changes(&user(name), after, 10).await.unwrap() {
            ChangesAnswer::Changes { .. } => None,
            ChangesAnswer::Reset { reason, snapshot, .. } => {
                assert_eq!(snapshot.head, self.store.head(&user(name)).await.unwrap());
                Some(reason)
            }
        }
    }

    /// Returns the ids in an inbox, newest first.
    pub(crate) async fn ids(&self, name: &str) -> Vec<String> {
        let page = self.store.page(&user(name), 200, None).await.unwrap();
        page.notifications.iter().map(|row| row.id.to_string()).collect()
    }
}

pub(crate) fn ids(names: &[&str]) -> Vec<NotificationId> {
    names.iter().map(|name| id(name)).collect()
}
