use crate::support::skip::skip;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::env;

/// A new database in the PostgreSQL server of `TEST_POSTGRES_URL`.
pub(crate) struct Database {
    maintenance: String,
    name: String,
}

impl Database {
    /// Creates the database. Skips the test and returns `None` if there is no PostgreSQL.
    pub(crate) async fn create() -> Option<Self> {
        let Ok(maintenance) = env::var("TEST_POSTGRES_URL") else {
            skip("a PostgreSQL database, TEST_POSTGRES_URL=postgres://…");
            return None;
        };
        let unique = tempfile::Builder::new().prefix("").rand_bytes(12).tempdir().unwrap();
        let name = format!("acceptance_{}", unique.path().file_name()?.to_str()?.to_lowercase());
        let database = Self { maintenance, name };
        database.execute(&format!("CREATE DATABASE {}", database.name)).await;
        Some(database)
    }

    async fn execute(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.maintenance).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    }

    pub(crate) fn url(&self) -> String {
        let (head, parameters) = match self.maintenance.split_once('?') {
            Some((head, parameters)) => (head, format!("?{parameters}")),
            None => (self.maintenance.as_str(), String::new()),
        };
        let (server, _) = head.rsplit_once('/').unwrap();
        format!("{server}/{}{parameters}", self.name)
    }

    pub(crate) async fn drop(self) {
        self.execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}
