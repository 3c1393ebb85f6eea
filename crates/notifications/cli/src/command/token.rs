use std::time::Duration;

use clap::Args;
use internal_notifications_pusher::models::UserId;
use internal_notifications_server::{Clock, Config, ErrorKind, SystemClock, TokenIssuer};
use serde_json::json;

use crate::env::Env;
use crate::error::Error;
use crate::output::Output;
use crate::ttl::parse_ttl;

/// Make an app user's token with the server's secret, for development and tests
///
/// The secret is INTERNAL_NOTIFICATIONS_JWT_SECRET, or else the one that a server on loopback made and keeps in its database.
#[derive(Args)]
pub(crate) struct Token {
    /// The user
    #[arg(long, value_name = "USER")]
    user: UserId,
    /// How long it is good: 90s, 15m, 1h, 7d
    #[arg(long, value_name = "TTL", default_value = "1h", value_parser = parse_ttl)]
    ttl: Duration,
    /// Let the user push to others: adds the scope notifications:push
    #[arg(long)]
    push: bool,
    /// The server's database, like sqlite://internal-notifications.db
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Print the token as JSON
    #[arg(long)]
    json: bool,
}

impl Token {
    pub(crate) async fn run(self, mut env: Env, output: &mut Output) -> Result<(), Error> {
        env.set("INTERNAL_NOTIFICATIONS_DATABASE_URL", self.database.as_deref());
        let config = Config::from_env(|name| env.get(name)).map_err(Error::usage)?;
        let issuer = TokenIssuer::find(&config).await.map_err(|error| match error.kind() {
            ErrorKind::Store => Error::failed(error),
            _ => Error::usage(error),
        })?;
        let token = issuer.mint(&self.user, SystemClock.now(), self.ttl, self.push);
        match self.json {
            true => output.json(&json!({"token": token})),
            false => output.line(&token),
        }
    }
}
