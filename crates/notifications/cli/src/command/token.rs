use std::time::Duration;

use clap::Args;
use internal_notifications::with_causes;
use internal_notifications_pusher::models::UserId;
use internal_notifications_server::{Clock, Config, ErrorKind, SystemClock, TokenIssuer};
use serde_json::json;

use crate::env::Env;
use crate::error::Error;
use crate::output::Output;
use crate::ttl::parse_ttl;

/// Issue an app user's token, signed with the server's secret, for development and tests
///
/// The secret is INTERNAL_NOTIFICATIONS_JWT_SECRET, or else the one that a server on loopback
/// generated and stored in its database.
#[derive(Args)]
pub(crate) struct Token {
    /// The user
    #[arg(long, value_name = "USER")]
    user: UserId,
    /// How long the token is valid: 90s, 15m, 1h, 7d
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
        let config = Config::from_env(|name| env.get(name));
        let config = config.map_err(|error| Error::usage(with_causes(&error)))?;
        let issuer = TokenIssuer::find(&config).await.map_err(|error| match error.kind() {
            ErrorKind::Store => Error::failed(with_causes(&error)),
            _ => Error::usage(with_causes(&error)),
        })?;
        let token = issuer.mint(&self.user, SystemClock.now(), self.ttl, self.push);
        match self.json {
            true => output.json(&json!({"token": token})),
            false => output.line(&token),
        }
    }
}
