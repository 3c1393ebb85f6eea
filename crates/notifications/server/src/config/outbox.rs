use std::str::FromStr;

use super::variables::Variables;
use super::{ConfigError, Database, Variable};

pub(crate) const OUTBOX_URLS: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_OUTBOX_URLS",
    method: "with_outbox",
    default: None,
    allowed: "URLs like `sqlite://PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, separated by commas",
    purpose: "Further databases with an outbox table, in which apps leave intents to push. The server relays these and \
              those in its own database.",
};

/// A database with an outbox table, whose intents the server relays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxDatabase(pub(crate) Database);

pub(super) fn from_env(variables: &Variables<'_>) -> Result<Vec<OutboxDatabase>, ConfigError> {
    variables.list(&OUTBOX_URLS).iter().map(|url| url.parse()).collect()
}

impl From<Database> for OutboxDatabase {
    fn from(database: Database) -> Self {
        Self(database)
    }
}

impl FromStr for OutboxDatabase {
    type Err = ConfigError;

    fn from_str(url: &str) -> Result<Self, ConfigError> {
        Database::parse(&OUTBOX_URLS, url).map(Self)
    }
}
