#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use super::variables::Variables;
use super::{ConfigError, Variable};
#[cfg(feature = "postgres")]
use crate::store::postgres::{self, PostgresOptions, PostgresStore, PostgresUrl};
#[cfg(feature = "sqlite")]
use crate::store::sqlite::{self, SqliteOptions, SqliteStore};
use crate::store::{Store, StoreError};

pub(crate) const DATABASE_URL: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_DATABASE_URL",
    method: "with_database",
    default: Some("sqlite://internal-notifications.db"),
    allowed: "`sqlite://PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`",
    purpose: "The database with the inboxes.",
};

/// The database that holds the inboxes. There is a variant for each driver that the build includes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// A SQLite file, created if it is missing: `sqlite://PATH`.
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
    /// A PostgreSQL database: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    #[cfg(feature = "postgres")]
    Postgres(PostgresUrl),
}

impl Database {
    /// Opens the inboxes in this database, with the default options of its store.
    ///
    /// # Errors
    /// Returns a [`StoreError`] if the database cannot be used.
    pub async fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => Arc::new(SqliteStore::open_file(path, SqliteOptions::default()).await?),
            #[cfg(feature = "postgres")]
            Self::Postgres(ref url) => Arc::new(PostgresStore::open(url, PostgresOptions::default()).await?),
        })
    }

    /// Returns a setting that a server stored in this database, if any. The server may be running.
    pub(crate) async fn stored_setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => sqlite::read_setting(path, name).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(ref url) => postgres::read_setting(url, &PostgresOptions::default(), name).await,
        }
    }

    /// Returns the database's name for messages, without a password.
    pub(crate) fn redacted(&self) -> String {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => format!("sqlite://{}", path.display()),
            #[cfg(feature = "postgres")]
            Self::Postgres(ref url) => url.redacted(),
        }
    }

    pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let url = variables.text(&DATABASE_URL);
        url.as_deref().or(DATABASE_URL.default).unwrap_or_default().parse()
    }

    /// Parses the URL in a variable.
    pub(super) fn parse(variable: &Variable, url: &str) -> Result<Self, ConfigError> {
        // Errors never quote the URL: it may contain a password.
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => parse_postgres(url),
            Some("sqlite") => parse_sqlite(url),
            _ => Err(format!("it must be {}", variable.allowed)),
        }
        .map_err(|problem| ConfigError::new(variable, problem))
    }
}

#[cfg(feature = "postgres")]
fn parse_postgres(url: &str) -> Result<Database, String> {
    url.parse().map(Database::Postgres).map_err(|error: StoreError| error.to_string())
}

#[cfg(not(feature = "postgres"))]
fn parse_postgres(_: &str) -> Result<Database, String> {
    Err("this server was built without PostgreSQL; build it with the feature `postgres`".to_owned())
}

#[cfg(feature = "sqlite")]
fn parse_sqlite(url: &str) -> Result<Database, String> {
    sqlite::path_from_url(url).map(Database::Sqlite).map_err(|error| error.to_string())
}

#[cfg(not(feature = "sqlite"))]
fn parse_sqlite(_: &str) -> Result<Database, String> {
    Err("this server was built without SQLite; build it with the feature `sqlite`".to_owned())
}

impl FromStr for Database {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        Self::parse(&DATABASE_URL, url)
    }
}
