use std::path::PathBuf;
use std::str::FromStr;

use super::ConfigError;
use super::variables::Variables;
use crate::store::postgres::PostgresUrl;
use crate::store::sqlite::path_of;

const NAME: &str = "INTERNAL_NOTIFICATIONS_DATABASE_URL";

/// Where the inboxes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// A SQLite file, created when missing: `sqlite://PATH`.
    Sqlite(PathBuf),
    /// A PostgreSQL database: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    Postgres(PostgresUrl),
}

impl Database {
    pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let url = variables.text(NAME);
        url.as_deref().unwrap_or("sqlite://internal-notifications.db").parse()
    }
}

impl FromStr for Database {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        if PostgresUrl::is_meant_by(url) {
            return url.parse().map(Self::Postgres).map_err(|problem| ConfigError::new(NAME, problem));
        }
        if !url.starts_with("sqlite:") {
            // Not echoed: a URL of another database may hold a password.
            return Err(ConfigError::new(
                NAME,
                "it may be sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
            ));
        }
        path_of(url).map(Self::Sqlite).map_err(|problem| ConfigError::new(NAME, problem))
    }
}
