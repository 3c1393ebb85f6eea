//! The configuration of a server: one struct per concern, read from the environment or built in
//! code.

mod all_variables;
mod auth;
mod broker_limits;
mod ca_file;
mod channel_prefix;
mod confirm_clock;
mod database;
mod error;
mod hosts;
mod limits;
mod listen;
mod origins;
mod outbox;
mod position_check;
mod public_key;
mod realtime;
mod retention;
mod variable;
mod variables;

pub use all_variables::variables;
pub use auth::{ApiKey, AuthConfig, JwtKey, JwtSecret, RequiredClaims};
pub use broker_limits::{InvalidBrokerLimit, set_broker_limits};
pub use channel_prefix::{ChannelPrefix, UnservedUser};
pub use database::Database;
pub use error::ConfigError;
pub use hosts::AllowedHosts;
pub use internal_notifications_models::unknown_names;
pub use limits::Limits;
pub use origins::Origin;
pub use outbox::OutboxDatabase;
pub use public_key::PublicKey;
pub(crate) use realtime::webhook_host;
pub use realtime::{
    ClientEndpoint, EmbeddedConfig, EngineConfig, EngineEndpoint, InvalidWebhook, RealtimeConfig, Scheme,
    WebhookConfig,
};
pub use variable::Variable;

use std::net::SocketAddr;
use std::time::Duration;

use pusher_client::Roots;

use crate::store::Retention;
pub(crate) use confirm_clock::CONFIRM_CLOCK;
use internal_notifications_models::Timestamp;
use variables::Variables;

/// The configuration of a server. Create it with [`Config::new`] or [`Config::from_env`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where the server listens. Port 0 takes a free one. Default: `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// The database with the inboxes. Unset unless [`Config::from_env`] or you set it.
    pub database: Option<Database>,
    /// Databases of apps with an outbox table, whose intents the server relays in addition to those
    /// in its own database.
    pub outboxes: Vec<OutboxDatabase>,
    /// Which credentials the server accepts.
    pub auth: AuthConfig,
    /// Which Channels engine delivers live events. Default: the embedded broker.
    pub realtime: RealtimeConfig,
    /// The certificate authorities that the server trusts when it connects to an engine or sends
    /// webhooks. Default: [`Roots::platform`].
    pub roots: Roots,
    /// The prefix of the users' channels. Default: `private-`.
    pub channel_prefix: ChannelPrefix,
    /// The Host headers that the server accepts. `None`, the default, means those that fit the
    /// listener: [`AllowedHosts::default_for`] `listen` for a [`Server`](crate::Server), and all
    /// for a [`Node`](crate::Node), which has no listener.
    pub allowed_hosts: Option<AllowedHosts>,
    /// The web front ends on other origins that may call the server.
    pub cors_origins: Vec<Origin>,
    /// How often, in seconds, connected clients check whether they missed a live event: at least 1.
    /// Default: 60.
    pub position_check_seconds: u64,
    /// How many notifications and changes are kept, and for how long.
    pub retention: Retention,
    /// The time between the starts of two passes over all inboxes, which check the pending counts
    /// and enforce the retention: at least 1 s. Default: 60 s.
    pub sweep_interval: Duration,
    /// The current time, to confirm at a start that the clock is right although it differs from the
    /// time at which a server last ran. It has no effect on a clock that differs from it by more
    /// than a day. Default: `None`.
    pub confirm_clock: Option<Timestamp>,
    /// What callers may use of the server. Most of it is not read from the environment.
    pub limits: Limits,
}

impl Config {
    /// Returns a configuration with the defaults, and without a database.
    ///
    /// ```
    /// use internal_notifications_server::config::{ApiKey, AuthConfig, Config, ConfigError};
    ///
    /// fn configure() -> Result<Config, ConfigError> {
    ///     let shop = ApiKey::new("shop", "a-key-of-at-least-thirty-two-bytes")?;
    ///     let auth = AuthConfig::new().with_api_key(shop);
    ///     Ok(Config::new().with_database("sqlite://inbox.db".parse()?).with_auth(auth))
    /// }
    ///
    /// assert_eq!(configure().unwrap().listen.port(), 8080);
    /// ```
    pub fn new() -> Self {
        Self {
            listen: listen::DEFAULT,
            database: None,
            outboxes: Vec::new(),
            auth: AuthConfig::default(),
            realtime: RealtimeConfig::default(),
            roots: Roots::platform(),
            channel_prefix: ChannelPrefix::default(),
            allowed_hosts: None,
            cors_origins: Vec::new(),
            position_check_seconds: position_check::DEFAULT_SECONDS,
            retention: Retention::default(),
            sweep_interval: retention::DEFAULT_SWEEP_INTERVAL,
            confirm_clock: None,
            limits: Limits::default(),
        }
    }

    /// Reads a configuration from environment variables through `lookup`. [`variables`] lists them.
    /// An empty value counts as unset.
    ///
    /// ```
    /// use internal_notifications_server::{Config, ConfigError};
    ///
    /// fn configure() -> Result<Config, ConfigError> {
    ///     Config::from_env(|name| match name {
    ///         "INTERNAL_NOTIFICATIONS_LISTEN" => Some("127.0.0.1:0".to_owned()),
    ///         _ => std::env::var(name).ok(),
    ///     })
    /// }
    ///
    /// assert_eq!(configure().unwrap().listen.port(), 0);
    /// ```
    ///
    /// # Errors
    /// Returns a [`ConfigError`] that names the variable and the values it may have.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variables = Variables::new(&lookup);
        let config = Self {
            listen: listen::from_env(&variables)?,
            database: Some(Database::from_env(&variables)?),
            outboxes: outbox::from_env(&variables)?,
            auth: AuthConfig::from_env(&variables)?,
            realtime: RealtimeConfig::from_env(&variables)?,
            roots: ca_file::from_env(&variables)?,
            channel_prefix: ChannelPrefix::from_env(&variables)?,
            allowed_hosts: AllowedHosts::from_env(&variables)?,
            cors_origins: origins::from_env(&variables)?,
            position_check_seconds: position_check::from_env(&variables)?,
            retention: retention::from_env(&variables)?,
            sweep_interval: retention::sweep_interval(&variables)?,
            confirm_clock: confirm_clock::from_env(&variables)?,
            limits: Limits::from_env(&variables)?,
        };
        config.check()?;
        Ok(config)
    }

    /// Sets where the server listens.
    #[must_use]
    pub fn with_listen(self, listen: SocketAddr) -> Self {
        Self { listen, ..self }
    }

    /// Sets the database with the inboxes.
    #[must_use]
    pub fn with_database(self, database: Database) -> Self {
        Self { database: Some(database), ..self }
    }

    /// Relays the intents in a further database.
    #[must_use]
    pub fn with_outbox(mut self, outbox: OutboxDatabase) -> Self {
        self.outboxes.push(outbox);
        self
    }

    /// Sets which credentials the server accepts.
    #[must_use]
    pub fn with_auth(self, auth: AuthConfig) -> Self {
        Self { auth, ..self }
    }

    /// Sets which Channels engine delivers live events.
    #[must_use]
    pub fn with_realtime(self, realtime: impl Into<RealtimeConfig>) -> Self {
        Self { realtime: realtime.into(), ..self }
    }

    /// Sets the certificate authorities that the server trusts when it connects to an engine or
    /// sends webhooks.
    #[must_use]
    pub fn with_roots(self, roots: Roots) -> Self {
        Self { roots, ..self }
    }

    /// Sets the prefix of the users' channels.
    #[must_use]
    pub fn with_channel_prefix(self, channel_prefix: ChannelPrefix) -> Self {
        Self { channel_prefix, ..self }
    }

    /// Sets the Host headers that the server accepts.
    #[must_use]
    pub fn with_allowed_hosts(self, allowed_hosts: AllowedHosts) -> Self {
        Self { allowed_hosts: Some(allowed_hosts), ..self }
    }

    /// Lets a web front end on another origin call the server.
    #[must_use]
    pub fn with_cors_origin(mut self, origin: Origin) -> Self {
        self.cors_origins.push(origin);
        self
    }

    /// Sets how often, in seconds, connected clients check whether they missed a live event: at
    /// least 1.
    #[must_use]
    pub fn with_position_check_seconds(self, position_check_seconds: u64) -> Self {
        Self { position_check_seconds, ..self }
    }

    /// Sets how many notifications and changes are kept, and for how long.
    #[must_use]
    pub fn with_retention(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }

    /// Sets the time between the starts of two passes over all inboxes: at least 1 s.
    #[must_use]
    pub fn with_sweep_interval(self, sweep_interval: Duration) -> Self {
        Self { sweep_interval, ..self }
    }

    /// Confirms that the clock is right if it shows about this time at the start.
    #[must_use]
    pub fn with_confirm_clock(self, now: Timestamp) -> Self {
        Self { confirm_clock: Some(now), ..self }
    }

    /// Sets what callers may use of the server.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Checks the settings, alone and together. [`Server::start`](crate::Server::start) does this
    /// too.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] if a time is below one second, if the memory for request bodies
    /// has no room for one, if API keys share a name or a key, or if other machines can reach the
    /// server and it accepts no credentials.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_values()?;
        if self.is_loopback() || !self.auth.is_empty() {
            return Ok(());
        }
        let (listen, secret, file, keys) =
            (self.listen, auth::JWT_SECRET.name, auth::JWT_PUBLIC_KEY_FILE.name, auth::API_KEYS.name);
        let problem = format!(
            "other machines can reach {listen}, so authentication is required: set {secret}, {file} or {keys}, or listen on 127.0.0.1"
        );
        Err(ConfigError::new(&listen::LISTEN, problem))
    }

    /// Checks what also applies to a [`Node`](crate::Node), which has no listener.
    pub(crate) fn check_values(&self) -> Result<(), ConfigError> {
        self.auth.check()?;
        position_check::check(self.position_check_seconds)?;
        retention::check_sweep_interval(self.sweep_interval)?;
        self.limits.check()
    }

    /// Returns the accepted credentials, if there are any.
    pub(crate) fn credentials(&self) -> Result<&AuthConfig, ConfigError> {
        if self.auth.is_empty() {
            let problem = "without an authenticator, API keys or a JWT key are required";
            return Err(ConfigError::new(&auth::API_KEYS, problem));
        }
        Ok(&self.auth)
    }

    pub(crate) fn required_database(&self) -> Result<&Database, ConfigError> {
        self.database
            .as_ref()
            .ok_or_else(|| ConfigError::new(&database::DATABASE_URL, "a database is required"))
    }

    /// Returns whether only this machine can reach the server.
    pub fn is_loopback(&self) -> bool {
        listen::is_loopback(self.listen)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
