use std::sync::Arc;
use std::time::Duration;

use black_box_support::{Caller, Http};
use internal_notifications_models::{InternalNotification, NotificationId, Timestamp, UserId};
use internal_notifications_server::config::{ApiKey, JwtKey};
use internal_notifications_server::store::postgres::{PostgresOptions, PostgresStore};
use internal_notifications_server::store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_server::store::{Push, Store};
use internal_notifications_server::{Config, Server};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::measure::Times;

/// The API key of the backend that pushes.
const API_KEY: &str = "a-key-of-thirty-two-bytes-or-more";
const TOKEN_SECRET: &str = "a-secret-of-thirty-two-bytes-or-more";

/// A kind of database.
pub(crate) enum Database {
    Sqlite,
    /// The URL of a database whose user may create others.
    Postgres(String),
}

/// A new database on disk. A SQLite database is removed when this is dropped, a PostgreSQL database
/// when it is closed.
enum Location {
    Sqlite(TempDir),
    Postgres { of: String, name: String },
}

/// A store with its own database.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    location: Location,
}

/// A server with its own database.
pub(crate) struct Served {
    pub(crate) server: Server,
    location: Location,
}

impl Database {
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Sqlite];
        match std::env::var("TEST_POSTGRES_URL") {
            Ok(url) => all.push(Self::Postgres(url)),
            Err(_) => println!("PostgreSQL is left out: set TEST_POSTGRES_URL"),
        }
        all
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    async fn location(&self) -> Location {
        match self {
            // Use cargo's target folder, which is on a disk.
            Self::Sqlite => Location::Sqlite(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()),
            Self::Postgres(of) => {
                let location =
                    Location::Postgres { of: of.clone(), name: format!("bench_{}", std::process::id()) };
                location.administer("DROP DATABASE IF EXISTS").await;
                location.administer("CREATE DATABASE").await;
                location
            }
        }
    }

    pub(crate) async fn open(&self) -> Opened {
        self.open_in(self.location().await).await
    }

    /// Opens a database with one inbox, that of [`user`] 0. It holds this many notifications, all
    /// pending, and the newest `log` of them are in its change log.
    pub(crate) async fn open_filled(&self, notifications: usize, log: usize) -> Opened {
        let Opened { store, location } = self.open().await;
        store.close().await;
        let at = Timestamp::now().as_millisecond();
        let (blob, series) = (location.blob(), series(notifications));
        location
            .execute(&format!(
                "INSERT INTO notifications (id, sender, digest, body, created_at)
                 {series} SELECT 'n-' || n, 'key:bench', CAST('0' AS {blob}), '{{\"content\":\"A parcel has come\"}}', {at} FROM s;
                 INSERT INTO inboxes (user_id, seq, tag, pending, floor)
                 VALUES ('{reader}', {notifications}, {notifications}, {notifications}, {notifications} - {log});
                 INSERT INTO deliveries (inbox, added, notification, created_at)
                 SELECT i.key, n.key, n.key, {at} FROM inboxes i CROSS JOIN notifications n;
                 INSERT INTO changes (inbox, seq, tag, prev, pending, at)
                 SELECT inbox, added, added, added - 1, added, {at} FROM deliveries WHERE added > {notifications} - {log};
                 ANALYZE",
                reader = user(0)
            ))
            .await;
        self.open_in(location).await
    }

    async fn open_in(&self, location: Location) -> Opened {
        Opened { store: location.open().await, location }
    }

    pub(crate) async fn serve(&self) -> Served {
        self.serve_with(&[]).await
    }

    /// Starts a server with these variables.
    pub(crate) async fn serve_with(&self, variables: &[(&str, &str)]) -> Served {
        Served::start(self.location().await, variables).await
    }
}

impl Location {
    fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("inbox.db").display()),
            Self::Postgres { of, name } => {
                let (server, _) = of.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }

    async fn open(&self) -> Arc<dyn Store> {
        let url = self.url();
        match self {
            Self::Sqlite(_) => Arc::new(SqliteStore::open(&url, SqliteOptions::default()).await.unwrap()),
            Self::Postgres { .. } => Arc::new(
                PostgresStore::open(&url.parse().unwrap(), PostgresOptions::default()).await.unwrap(),
            ),
        }
    }

    /// Returns the type of bytes.
    fn blob(&self) -> &'static str {
        if matches!(self, Self::Sqlite(_)) { "BLOB" } else { "bytea" }
    }

    /// Executes statements that write many rows, without waiting for the disk.
    async fn fill(&self, sql: &str) {
        match self {
            Self::Sqlite(_) => {
                self.execute(&format!(
                    "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; {sql}; ANALYZE"
                ))
                .await;
            }
            Self::Postgres { .. } => {
                self.execute(&format!("SET synchronous_commit = off; {sql}; ANALYZE")).await;
            }
        }
    }

    async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
            Self::Postgres { .. } => {
                sqlx::query_scalar(sql).fetch_one(&mut self.postgres().await).await.unwrap()
            }
        }
    }

    /// Executes statements on a new connection.
    async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres { .. } => {
                let mut connection = self.postgres().await;
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            }
        }
    }

    async fn postgres(&self) -> PgConnection {
        let mut connection = PgConnection::connect(&self.url()).await.unwrap();
        sqlx::raw_sql("SET search_path = internal_notifications, public")
            .execute(&mut connection)
            .await
            .unwrap();
        connection
    }

    async fn administer(&self, statement: &str) {
        let Self::Postgres { of, name } = self else { return };
        let mut connection = PgConnection::connect(of).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("{statement} {name}"))).execute(&mut connection).await.unwrap();
    }
}

impl Opened {
    /// Measures reads of one row of `inboxes` by its key, on a new connection and without the
    /// store.
    pub(crate) async fn bare_reads(&self, calls: usize, users: usize) -> Times {
        const SQL: &str = "SELECT seq, tag, pending FROM inboxes WHERE user_id = $1";
        type Row = (i64, i64, i64);
        let mut times = Vec::with_capacity(calls);
        match &self.location {
            Location::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&self.location.url()).await.unwrap();
                for index in 0..calls {
                    let query = sqlx::query_as::<_, Row>(SQL).bind(user(index * 7 % users).to_string());
                    times.push(Times::one(query.fetch_one(&mut connection)).await);
                }
            }
            Location::Postgres { .. } => {
                let mut connection = self.location.postgres().await;
                for index in 0..calls {
                    let query = sqlx::query_as::<_, Row>(SQL).bind(user(index * 7 % users).to_string());
                    times.push(Times::one(query.fetch_one(&mut connection)).await);
                }
            }
        }
        Times::new(times)
    }

    /// Returns the size of the database on disk in bytes, without its write-ahead log.
    pub(crate) async fn bytes(&self) -> f64 {
        let bytes: i64 = match &self.location {
            Location::Sqlite(_) => {
                let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
                let mut connection = SqliteConnection::connect(&self.location.url()).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
            Location::Postgres { .. } => {
                let sql = "SELECT pg_database_size(current_database())";
                sqlx::query_scalar(sql).fetch_one(&mut self.location.postgres().await).await.unwrap()
            }
        };
        bytes as f64
    }

    /// Opens another store on the same database, as a second node does.
    pub(crate) async fn another(&self) -> Arc<dyn Store> {
        self.location.open().await
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
        self.location.administer("DROP DATABASE").await;
    }
}

impl Served {
    async fn start(location: Location, variables: &[(&str, &str)]) -> Self {
        let url = location.url();
        let mut config = Config::from_env(|name| match name {
            "INTERNAL_NOTIFICATIONS_LISTEN" => Some("127.0.0.1:0".to_owned()),
            "INTERNAL_NOTIFICATIONS_DATABASE_URL" => Some(url.clone()),
            name => variables.iter().find(|(named, _)| *named == name).map(|(_, value)| (*value).to_owned()),
        })
        .unwrap();
        config.auth.jwt = Some(JwtKey::secret(TOKEN_SECRET).unwrap());
        config.auth.api_keys.push(ApiKey::new("bench", API_KEY).unwrap());
        Self { server: Server::start(config).await.unwrap(), location }
    }

    /// Stops the server, executes statements on its database, and starts it again with these
    /// variables.
    pub(crate) async fn refilled(self, sql: &str, variables: &[(&str, &str)]) -> Self {
        self.server.shutdown().await;
        self.location.fill(sql).await;
        Self::start(self.location, variables).await
    }

    /// Returns the type of bytes in its database.
    pub(crate) fn blob(&self) -> &'static str {
        self.location.blob()
    }

    /// Executes statements on the database of the running server.
    pub(crate) async fn execute(&self, sql: &str) {
        self.location.execute(sql).await;
    }

    /// Returns the number that a query selects.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.location.number(sql).await
    }

    /// Returns a metric of the server, named without its prefix. Zero if there is none.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let name = format!("internal_notifications_{name} ");
        let metrics = self.server.node().metrics();
        metrics.lines().find_map(|line| line.strip_prefix(&name)).map_or(0.0, |value| value.parse().unwrap())
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller::new(Http::to(self.server.local_addr()), API_KEY)
    }

    /// Returns a user's token.
    pub(crate) fn token(&self, user_id: &UserId) -> String {
        self.server.token(user_id, Duration::from_secs(3600), false).unwrap()
    }

    pub(crate) async fn stop(self) {
        self.server.shutdown().await;
        self.location.administer("DROP DATABASE").await;
    }
}

/// Returns the beginning of a statement in which `s.n` runs from 1 to `count`.
pub(crate) fn series(count: usize) -> String {
    format!("WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count})")
}

pub(crate) fn user(index: usize) -> UserId {
    UserId::new(format!("user-{index}")).unwrap()
}

/// Returns a push of the notification with this number.
pub(crate) fn push(index: usize, user_ids: Vec<UserId>) -> Push {
    let id = NotificationId::new(format!("n-{index}")).unwrap();
    let notification = InternalNotification::new("A parcel has come").with_heading("Parcel");
    Push::new(id, "key:bench", notification, user_ids, Timestamp::now())
}
