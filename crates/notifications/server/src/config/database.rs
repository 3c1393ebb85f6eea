#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use super::ConfigError;
use super::variables::Variables;
#[cfg(feature = "postgres")]
use crate::store::postgres::PostgresUrl;
use crate::store::{self, CommitListener, Store, StoreError};

const NAME: &str = "INTERNAL_NOTIFICATIONS_DATABASE_URL";

/// The database that holds the inboxes. There is a variant for each driver that the build includes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// A SQLite file, created when missing: `sqlite://PATH`.
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
    /// A PostgreSQL database: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    #[cfg(feature = "postgres")]
    Postgres(PostgresUrl),
}

impl Database {
    pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let url = variables.text(NAME);
        url.as_deref().unwrap_or("sqlite://internal-notifications.db").parse()
    }

    /// Opens the store, creating the database where it is missing.
    pub(crate) async fn open(
        &self,
        committed: Arc<dyn CommitListener>,
    ) -> Result<Arc<dyn Store>, StoreError> {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => {
                let options = store::sqlite::SqliteOptions::default().with_commit_listener(committed);
                Ok(Arc::new(store::sqlite::SqliteStore::open_file(path, options).await?))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(ref url) => {
                let options = store::postgres::PostgresOptions::default().with_commit_listener(committed);
                Ok(Arc::new(store::postgres::PostgresStore::open(url, options).await?))
            }
        }
    }

    /// Reads a setting that a server stored, which may be running.
    pub(crate) async fn read_setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => store::sqlite::read_setting(path, name).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(ref url) => store::postgres::read_setting(url, &Default::default(), name).await,
        }
    }

    /// Returns the URL without user, password and parameters.
    pub(crate) fn redacted(&self) -> String {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => format!("sqlite://{}", path.display()),
            #[cfg(feature = "postgres")]
            Self::Postgres(ref url) => url.redacted(),
        }
    }

    /// Parses the URL in a variable.
    pub(super) fn read(variable: &'static str, url: &str) -> Result<Self, ConfigError> {
        // Errors never quote the URL: it may hold a password.
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => postgres(url),
            Some("sqlite") => sqlite(url),
            _ => Err("must be sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned()),
        }
        .map_err(|problem| ConfigError::new(variable, problem))
    }
}

#[cfg(feature = "postgres")]
fn postgres(url: &str) -> Result<Database, String> {
    url.parse().map(Database::Postgres).map_err(|error: StoreError| error.to_string())
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<Database, String> {
    Err("this server was built without PostgreSQL; build it with the feature `postgres`".to_owned())
}

#[cfg(feature = "sqlite")]
fn sqlite(url: &str) -> Result<Database, String> {
    store::sqlite::path_from_url(url).map(Database::Sqlite).map_err(|error| error.to_string())
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &str) -> Result<Database, String> {
    Err("this server was built without SQLite; build it with the feature `sqlite`".to_owned())
}

impl FromStr for Database {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        Self::read(NAME, url)
    }
}
