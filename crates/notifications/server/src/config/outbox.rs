use std::str::FromStr;

use super::variables::Variables;
use super::{ConfigError, Database};
use crate::relay::IntentSource;
#[cfg(feature = "postgres")]
use crate::relay::PostgresIntents;
#[cfg(feature = "sqlite")]
use crate::relay::SqliteIntents;

const NAME: &str = "INTERNAL_NOTIFICATIONS_OUTBOX_URLS";

/// A database whose intents the server relays: `sqlite://PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxDatabase(Database);

pub(super) fn from_env(variables: &Variables<'_>) -> Result<Vec<OutboxDatabase>, ConfigError> {
    variables.list(NAME).iter().map(|url| url.parse()).collect()
}

impl OutboxDatabase {
    /// What the relay takes of an app's. The table is the app's to make.
    pub fn intents(&self) -> Box<dyn IntentSource> {
        self.source(false)
    }

    /// As [`intents`](Self::intents), of a database in which the relay makes the table where it is missing.
    pub fn own_intents(&self) -> Box<dyn IntentSource> {
        self.source(true)
    }

    fn source(&self, makes_table: bool) -> Box<dyn IntentSource> {
        match self.0 {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(ref path) => Box::new(SqliteIntents::new(path, makes_table)),
            #[cfg(feature = "postgres")]
            Database::Postgres(ref url) => Box::new(PostgresIntents::new(url.clone(), makes_table)),
        }
    }
}

impl From<Database> for OutboxDatabase {
    fn from(database: Database) -> Self {
        Self(database)
    }
}

impl FromStr for OutboxDatabase {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        Database::read(NAME, url).map(Self)
    }
}
