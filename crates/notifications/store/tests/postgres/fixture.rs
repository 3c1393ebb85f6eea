//! Stores in a new schema, with short helpers for tests.

use std::net::SocketAddr;

use internal_notifications_models::{Change, ChangesAnswer, Position, Receipt, Timestamp};
use internal_notifications_store::postgres::{PostgresOptions, PostgresStore, PostgresUrl};
use internal_notifications_store::{Push, Store, StoreError};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::net::lookup_host;

pub(crate) use crate::values::{at, id, push, user};

/// A store in its own schema, which is dropped at the end of the test.
pub(crate) struct Fixture {
    pub(crate) store: PostgresStore,
    pub(crate) schema: Schema,
}

pub(crate) struct Schema {
    pub(crate) name: String,
    url: String,
}

/// Returns the URL of the test database. Without one, prints that the test is skipped.
fn url() -> Option<String> {
    let url = std::env::var("TEST_POSTGRES_URL").ok();
    if url.is_none() {
        println!("skipped: it needs a PostgreSQL database, TEST_POSTGRES_URL=postgres://…");
    }
    url
}

impl Schema {
    pub(crate) fn new() -> Option<Self> {
        let name = format!("test_{}", uuid::Uuid::now_v7().simple());
        Some(Self { name, url: url()? })
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::default().with_schema(&self.name)
    }

    /// Returns the URL, with the schema's name as the application name.
    pub(crate) fn url(&self) -> PostgresUrl {
        self.url_text().parse().unwrap()
    }

    fn url_text(&self) -> String {
        let joint = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{joint}application_name={}", self.url, self.name)
    }

    pub(crate) async fn try_open(&self, options: PostgresOptions) -> Result<PostgresStore, StoreError> {
        PostgresStore::open(&self.url(), options).await
    }

    pub(crate) async fn open(&self, options: PostgresOptions) -> PostgresStore {
        self.try_open(options).await.unwrap()
    }

    /// Opens a store whose connections plan each statement once, for any parameters.
    pub(crate) async fn open_with_generic_plans(&self) -> PostgresStore {
        let url = format!("{}&options=-c%20plan_cache_mode%3Dforce_generic_plan", self.url_text());
        PostgresStore::open(&url.parse().unwrap(), self.options()).await.unwrap()
    }

    /// Returns the address at which PostgreSQL listens.
    pub(crate) async fn address(&self) -> SocketAddr {
        let options: PgConnectOptions = self.url.parse().unwrap();
        lookup_host((options.get_host(), options.get_port())).await.unwrap().next().unwrap()
    }

    /// Returns the URL of a database behind a proxy.
    pub(crate) fn through(&self, proxy: SocketAddr, database: Option<&str>) -> String {
        let options: PgConnectOptions = self.url.parse().unwrap();
        let options = options.host(&proxy.ip().to_string()).port(proxy.port()).application_name(&self.name);
        let options = database.map_or(options.clone(), |database| options.database(database));
        options.to_url_lossy().into()
    }

    pub(crate) async fn open_through(&self, proxy: SocketAddr, options: PostgresOptions) -> PostgresStore {
        PostgresStore::open(&self.through(proxy, None).parse().unwrap(), options).await.unwrap()
    }

    /// Returns how many connections of the stores wait for a lock.
    pub(crate) async fn waiting(&self) -> i64 {
        let waits =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name";
        self.number(&format!("{waits} = '{}'", self.name)).await
    }

    /// Opens another connection to the same schema, as another program would.
    pub(crate) async fn connect(&self) -> PgConnection {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let sql = AssertSqlSafe(format!("SET search_path = {}", self.name));
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection
    }

    /// Locks a user's inbox, as another program would, until the connection's transaction ends.
    pub(crate) async fn lock_inbox(&self, name: &str) -> PgConnection {
        let mut connection = self.connect().await;
        let sql = format!("BEGIN; SELECT FROM inboxes WHERE user_id = '{name}' FOR UPDATE");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection
    }

    pub(crate) async fn sql(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connect().await).await.unwrap();
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.connect().await).await.unwrap()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (url, sql) = (self.url.clone(), format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name));
        let dropping = async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql("SET client_min_messages = warning").execute(&mut connection).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        };
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // If the test failed, this must not panic too.
        let _ = std::thread::spawn(move || runtime().block_on(dropping)).join();
    }
}

impl Fixture {
    pub(crate) async fn new() -> Option<Self> {
        Self::with(|options| options).await
    }

    pub(crate) async fn with(options: impl FnOnce(PostgresOptions) -> PostgresOptions) -> Option<Self> {
        let schema = Schema::new()?;
        Some(Self { store: schema.open(options(schema.options())).await, schema })
    }

    pub(crate) async fn push(&self, name: &str, users: &[&str]) -> Receipt {
        self.store.push(push(name, users)).await.unwrap()
    }
}

/// Returns all changes of a user.
pub(crate) async fn log(store: &PostgresStore, name: &str) -> Vec<Change> {
    let mut log: Vec<Change> = Vec::new();
    loop {
        let after = log.last().map_or(Position::default(), |change| change.stamp.position());
        match store.changes(&user(name), after, 500).await.unwrap() {
            ChangesAnswer::Changes { changes, more, .. } => {
                log.extend(changes);
                if !more {
                    return log;
                }
            }
            ChangesAnswer::Reset { reason, .. } => panic!("reset: {reason:?}"),
        }
    }
}

pub(crate) fn push_at(at: Timestamp, mut push: Push) -> Push {
    push.at = at;
    push
}
