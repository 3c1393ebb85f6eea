use std::net::SocketAddr;

use internal_notifications_server::store::postgres::{PostgresOptions, PostgresStore};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::net::lookup_host;

/// The name of a schema for one test, dropped at its end.
pub(crate) struct Schema {
    pub(crate) name: String,
    url: String,
}

impl Schema {
    /// Returns `None` without a test database.
    pub(crate) fn new() -> Option<Self> {
        let Ok(url) = std::env::var("TEST_POSTGRES_URL") else {
            println!("skipped: TEST_POSTGRES_URL is not set");
            return None;
        };
        Some(Self { name: format!("test_{}", uuid::Uuid::now_v7().simple()), url })
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::default().with_schema(&self.name)
    }

    pub(crate) async fn open(&self, options: PostgresOptions) -> PostgresStore {
        PostgresStore::open(&self.url.parse().unwrap(), options).await.unwrap()
    }

    /// Returns the address at which PostgreSQL listens.
    pub(crate) async fn address(&self) -> SocketAddr {
        let server: PgConnectOptions = self.url.parse().unwrap();
        lookup_host((server.get_host(), server.get_port())).await.unwrap().next().unwrap()
    }

    /// Returns the URL of a database behind a proxy.
    pub(crate) fn through(&self, proxy: SocketAddr, database: &str) -> String {
        let server: PgConnectOptions = self.url.parse().unwrap();
        let server = server.host(&proxy.ip().to_string()).port(proxy.port()).database(database);
        server.to_url_lossy().into()
    }

    pub(crate) async fn sql(&self, sql: &str) {
        execute(&self.url, sql).await;
    }
}

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql("SET client_min_messages = warning").execute(&mut connection).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (url, sql) = (self.url.clone(), format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name));
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // On its own thread, because the test's runtime is busy here. A panic there is ignored.
        let _ = std::thread::spawn(move || runtime().block_on(execute(&url, &sql))).join();
    }
}
