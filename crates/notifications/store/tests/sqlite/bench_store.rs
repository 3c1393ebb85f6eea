//! A store in a folder of its own, and short ways to say what a test does with it.

use std::path::PathBuf;

use internal_notifications_models::{
    Change, ChangesAnswer, InternalNotification, NotificationId, OpId, Position, Receipt, ResetReason,
    Timestamp, UserId, WriteAnswer,
};
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_store::{Push, Store, StoreError, Write, WriteKind};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tempfile::TempDir;

pub(crate) struct Bench {
    pub(crate) store: SqliteStore,
    pub(crate) folder: TempDir,
}

impl Bench {
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

    /// Another program's connection to the same file.
    pub(crate) async fn stranger(&self) -> SqliteConnection {
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(self.file())).await.unwrap()
    }

    pub(crate) async fn sql(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.stranger().await).await.unwrap();
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(sql).fetch_one(&mut self.stranger().await).await.unwrap()
    }

    pub(crate) async fn push(&self, name: &str, users: &[&str]) -> Receipt {
        self.store.push(push(name, users)).await.unwrap()
    }

    pub(crate) async fn write(&self, name: &str, kind: WriteKind) -> Result<WriteAnswer, StoreError> {
        self.store.write(&user(name), Write { kind, op: None, at: at(50) }).await
    }

    pub(crate) async fn write_as(
        &self,
        name: &str,
        op: &str,
        kind: WriteKind,
    ) -> Result<WriteAnswer, StoreError> {
        let op = Some(OpId::new(op).unwrap());
        self.store.write(&user(name), Write { kind, op, at: at(60) }).await
    }

    /// The changes after a position, which can be told.
    pub(crate) async fn changes(&self, name: &str, after: Position, limit: usize) -> (Vec<Change>, bool) {
        match self.store.changes(&user(name), after, limit).await.unwrap() {
            ChangesAnswer::Changes { changes, more, .. } => (changes, more),
            ChangesAnswer::Reset { reason, .. } => panic!("reset: {reason:?}"),
        }
    }

    pub(crate) async fn log(&self, name: &str) -> Vec<Change> {
        self.changes(name, Position::default(), 500).await.0
    }

    /// Why the changes after a position cannot be told; none when they can.
    pub(crate) async fn reset(&self, name: &str, after: Position) -> Option<ResetReason> {
        match self.store.changes(&user(name), after, 10).await.unwrap() {
            ChangesAnswer::Changes { .. } => None,
            ChangesAnswer::Reset { reason, snapshot, .. } => {
                assert_eq!(snapshot.head, self.store.head(&user(name)).await.unwrap());
                Some(reason)
            }
        }
    }

    /// The ids of an inbox, newest first.
    pub(crate) async fn ids(&self, name: &str) -> Vec<String> {
        let page = self.store.page(&user(name), 200, None).await.unwrap();
        page.notifications.iter().map(|row| row.id.to_string()).collect()
    }
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub(crate) fn id(name: &str) -> NotificationId {
    NotificationId::new(name).unwrap()
}

pub(crate) fn ids(names: &[&str]) -> Vec<NotificationId> {
    names.iter().map(|name| id(name)).collect()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

pub(crate) fn push(name: &str, users: &[&str]) -> Push {
    Push {
        idempotency: None,
        sender: "key:shop".to_owned(),
        id: id(name),
        notification: InternalNotification::new(format!("about {name}")),
        user_ids: users.iter().map(|name| user(name)).collect(),
        at: at(0),
    }
}
