//! How a server is set up: one struct a concern, read from the environment or built by hand.

mod auth;
mod channel_prefix;
mod database;
mod error;
mod hosts;
mod limits;
mod listen;
mod origins;
mod outbox;
mod realtime;
mod retention;
mod variables;

pub use auth::{ApiKey, AuthConfig, JwtKey, RequiredClaims};
pub use channel_prefix::{ChannelPrefix, UnservedUser};
pub use database::Database;
pub use error::ConfigError;
pub use hosts::AllowedHosts;
pub use internal_notifications_models::unknown_names;
pub use limits::Limits;
pub use origins::Origin;
pub use outbox::OutboxDatabase;
pub use realtime::{ClientEndpoint, EmbeddedConfig, EngineConfig, EngineEndpoint, RealtimeConfig, Scheme};

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use crate::store::Retention;
use variables::Variables;

/// Everything that a server needs to know before it starts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where it listens. `INTERNAL_NOTIFICATIONS_LISTEN`, by default `127.0.0.1:8080`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the inboxes are kept.
    pub database: Database,
    /// The apps' databases whose intents it relays, besides its own. `INTERNAL_NOTIFICATIONS_OUTBOX_URLS`, comma-separated.
    pub outboxes: Vec<OutboxDatabase>,
    /// Who may come in.
    pub auth: AuthConfig,
    /// How changes reach clients.
    pub realtime: RealtimeConfig,
    /// What stands before the user's id in the name of a user's channel.
    pub channel_prefix: ChannelPrefix,
    /// The names that it answers to.
    pub allowed_hosts: AllowedHosts,
    /// The web front ends that may call it.
    pub cors_origins: Vec<Origin>,
    /// Seconds between a client's position checks, as its clients are told.
    pub position_check_seconds: u64,
    /// What is kept, and for how long.
    pub retention: Retention,
    /// Between the beginnings of two passes over all inboxes that compare counters, prune and trim. `INTERNAL_NOTIFICATIONS_SWEEP_SECONDS`,
    /// by default 60 s.
    pub sweep_interval: Duration,
    /// What one caller may take of it. Not read from the environment.
    pub limits: Limits,
}

impl Config {
    /// Reads a configuration through `lookup`, which gives the value of a variable; an empty value is none.
    ///
    /// ```
    /// use internal_notifications_server::Config;
    ///
    /// let config = Config::from_env(|name| match name {
    ///     "INTERNAL_NOTIFICATIONS_LISTEN" => Some("127.0.0.1:0".to_owned()),
    ///     _ => None,
    /// })?;
    /// assert_eq!(config.listen.port(), 0);
    /// # Ok::<(), internal_notifications_server::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] names the variable, and what it may be.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variables = Variables::new(&lookup);
        let listen = listen::from_env(&variables)?;
        let config = Self {
            listen,
            database: Database::from_env(&variables)?,
            outboxes: outbox::from_env(&variables)?,
            auth: AuthConfig::from_env(&variables)?,
            realtime: RealtimeConfig::from_env(&variables)?,
            channel_prefix: ChannelPrefix::from_env(&variables)?,
            allowed_hosts: AllowedHosts::from_env(&variables, listen)?,
            cors_origins: origins::from_env(&variables)?,
            position_check_seconds: variables
                .parsed("INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS", "a number of seconds, at least 1")?
                .map_or(60, NonZeroU64::get),
            retention: retention::from_env(&variables)?,
            sweep_interval: retention::sweep_interval(&variables)?,
            limits: Limits::default(),
        };
        config.check()?;
        Ok(config)
    }

    /// Checks what concerns more than one part. [`Server::start`](crate::Server::start) does so too.
    ///
    /// # Errors
    /// Listening beyond this machine without a way to know who calls.
    pub fn check(&self) -> Result<(), ConfigError> {
        if listen::is_loopback(self.listen) || self.auth.jwt.is_some() || !self.auth.api_keys.is_empty() {
            return Ok(());
        }
        Err(ConfigError::new(
            listen::NAME,
            format!(
                "{} can be reached from other machines, so that authentication is needed: set INTERNAL_NOTIFICATIONS_JWT_SECRET, INTERNAL_NOTIFICATIONS_JWT_PUBLIC_KEY_FILE or INTERNAL_NOTIFICATIONS_API_KEYS, or listen on 127.0.0.1",
                self.listen
            ),
        ))
    }

    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        listen::is_loopback(self.listen)
    }
}

#[cfg(test)]
mod tests;
