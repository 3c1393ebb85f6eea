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

/// The key of the backend that pushes.
const API_KEY: &str = "a-key-of-thirty-two-bytes-or-more";
const TOKEN_SECRET: &str = "a-secret-of-thirty-two-bytes-or-more";

/// A kind of database.
pub(crate) enum Database {
    Sqlite,
    /// With the URL of one in which others can be made.
    Postgres(String),
}

/// A database of its own, on a disk; gone when it is dropped, or closed.
enum Place {
    Sqlite(TempDir),
    Postgres { of: String, name: String },
}

/// A store in a database of its own.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    place: Place,
}

/// A server over a database of its own.
pub(crate) struct Served {
    pub(crate) server: Server,
    place: Place,
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

    async fn place(&self) -> Place {
        match self {
            // Beside what cargo builds, which is on a disk.
            Self::Sqlite => Place::Sqlite(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()),
            Self::Postgres(of) => {
                let place = Place::Postgres { of: of.clone(), name: format!("bench_{}", std::process::id()) };
                place.in_postgres("DROP DATABASE IF EXISTS").await;
                place.in_postgres("CREATE DATABASE").await;
                place
            }
        }
    }

    pub(crate) async fn open(&self) -> Opened {
        self.open_in(self.place().await).await
    }

    /// With one inbox, of [`user`] 0, that has so many notifications, all pending, the newest of them in its log.
    pub(crate) async fn open_filled(&self, notifications: usize, log: usize) -> Opened {
        let Opened { store, place } = self.open().await;
        store.close().await;
        let at = Timestamp::now().as_millisecond();
        let blob = if matches!(place, Place::Sqlite(_)) { "BLOB" } else { "bytea" };
        let series = format!(
            "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {notifications})"
        );
        place
            .run(&format!(
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
        self.open_in(place).await
    }

    async fn open_in(&self, place: Place) -> Opened {
        let url = place.url();
        let store: Arc<dyn Store> = match self {
            Self::Sqlite => Arc::new(SqliteStore::open(&url, SqliteOptions::default()).await.unwrap()),
            Self::Postgres(_) => Arc::new(
                PostgresStore::open(&url.parse().unwrap(), PostgresOptions::default()).await.unwrap(),
            ),
        };
        Opened { store, place }
    }

    pub(crate) async fn serve(&self) -> Served {
        let place = self.place().await;
        let url = place.url();
        let mut config = Config::from_env(|name| match name {
            "INTERNAL_NOTIFICATIONS_LISTEN" => Some("127.0.0.1:0".to_owned()),
            "INTERNAL_NOTIFICATIONS_DATABASE_URL" => Some(url.clone()),
            _ => None,
        })
        .unwrap();
        config.auth.jwt = Some(JwtKey::secret(TOKEN_SECRET).unwrap());
        config.auth.api_keys.push(ApiKey::new("bench", API_KEY).unwrap());
        Served { server: Server::start(config).await.unwrap(), place }
    }
}

impl Place {
    fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("inbox.db").display()),
            Self::Postgres { of, name } => {
                let (server, _) = of.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }

    /// Runs statements on a connection of their own.
    async fn run(&self, sql: &str) {
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
        sqlx::raw_sql("SET search_path = internal_notifications").execute(&mut connection).await.unwrap();
        connection
    }

    async fn in_postgres(&self, what: &str) {
        let Self::Postgres { of, name } = self else { return };
        let mut connection = PgConnection::connect(of).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("{what} {name}"))).execute(&mut connection).await.unwrap();
    }
}

impl Opened {
    /// Reads of one row of `inboxes` by its key, on a connection of their own, without anything of the store.
    pub(crate) async fn bare_reads(&self, calls: usize, users: usize) -> Times {
        const SQL: &str = "SELECT seq, tag, pending FROM inboxes WHERE user_id = $1";
        type Row = (i64, i64, i64);
        let mut times = Vec::with_capacity(calls);
        match &self.place {
            Place::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&self.place.url()).await.unwrap();
                for index in 0..calls {
                    let query = sqlx::query_as::<_, Row>(SQL).bind(user(index * 7 % users).to_string());
                    times.push(Times::one(query.fetch_one(&mut connection)).await);
                }
            }
            Place::Postgres { .. } => {
                let mut connection = self.place.postgres().await;
                for index in 0..calls {
                    let query = sqlx::query_as::<_, Row>(SQL).bind(user(index * 7 % users).to_string());
                    times.push(Times::one(query.fetch_one(&mut connection)).await);
                }
            }
        }
        Times::new(times)
    }

    /// What the database takes on the disk, its write-ahead log aside.
    pub(crate) async fn bytes(&self) -> f64 {
        let bytes: i64 = match &self.place {
            Place::Sqlite(_) => {
                let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
                let mut connection = SqliteConnection::connect(&self.place.url()).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
            Place::Postgres { .. } => {
                let sql = "SELECT pg_database_size(current_database())";
                sqlx::query_scalar(sql).fetch_one(&mut self.place.postgres().await).await.unwrap()
            }
        };
        bytes as f64
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
        self.place.in_postgres("DROP DATABASE").await;
    }
}

impl Served {
    pub(crate) fn caller(&self) -> Caller {
        Caller::new(Http::to(self.server.local_addr()), API_KEY)
    }

    /// A token of a user.
    pub(crate) fn token(&self, user_id: &UserId) -> String {
        self.server.token(user_id, Duration::from_secs(3600), false).unwrap()
    }

    pub(crate) async fn stop(self) {
        self.server.shutdown().await;
        self.place.in_postgres("DROP DATABASE").await;
    }
}

pub(crate) fn user(index: usize) -> UserId {
    UserId::new(format!("user-{index}")).unwrap()
}

/// A push of a notification with this number.
pub(crate) fn push(index: usize, user_ids: Vec<UserId>) -> Push {
    Push {
        sender: "key:bench".to_owned(),
        idempotency: None,
        id: NotificationId::new(format!("n-{index}")).unwrap(),
        notification: InternalNotification::new("A parcel has come").with_heading("Parcel"),
        user_ids,
        at: Timestamp::now(),
    }
}
