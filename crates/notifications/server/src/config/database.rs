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

impl Database {
    /// Reads a URL of this variable.
    pub(super) fn read(variable: &'static str, url: &str) -> Result<Self, ConfigError> {
        let wrong = |problem| ConfigError::new(variable, problem);
        if PostgresUrl::is_meant_by(url) {
            return url.parse().map(Self::Postgres).map_err(wrong);
        }
        if !url.starts_with("sqlite:") {
            // Not echoed: a URL of another database may hold a password.
            return Err(wrong("it may be sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE"));
        }
        path_of(url).map(Self::Sqlite).map_err(wrong)
    }
}

impl FromStr for Database {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        Self::read(NAME, url)
    }
}
