mod endpoint;
mod environment;
mod webhook;
mod webhook_url;

use std::fmt;

use pusher_broker::{AllowedOrigin, TrustedProxy};
use pusher_signer::Signer;

pub use endpoint::{ClientEndpoint, Scheme};
pub(crate) use environment::{
    APP_CLUSTER, APP_ID, APP_KEY, APP_SECRET, BROKER_ORIGINS, CLIENT_HOST, CLIENT_PORT, CLIENT_SCHEME, HOST,
    PORT, REALTIME, SCHEME, TRUSTED_PROXIES, WEBHOOKS,
};
pub use webhook::{InvalidWebhook, WebhookConfig};
pub(crate) use webhook_url::host as webhook_host;

/// Which Channels engine delivers live events.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RealtimeConfig {
    /// A Channels broker inside this process.
    Embedded(EmbeddedConfig),
    /// A Channels engine elsewhere, reached over its HTTP API.
    Engine(Box<EngineConfig>),
}

/// The settings of the embedded broker. Credentials that are not set are generated once and stored
/// in the database.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct EmbeddedConfig {
    /// The id of the app.
    pub app_id: Option<String>,
    /// The key of the app.
    pub app_key: Option<String>,
    /// The secret of the app.
    pub app_secret: Option<String>,
    /// Where clients reach the broker, if not at the server's own address.
    pub client: Option<ClientEndpoint>,
    /// Where the broker sends webhooks.
    pub webhooks: Vec<WebhookConfig>,
    /// Whose pages may connect to the broker. All, if it is empty.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Whose `X-Forwarded-For` the broker believes when it counts the connections of an address.
    pub trusted_proxies: Vec<TrustedProxy>,
}

/// The settings of a Channels engine elsewhere.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineConfig {
    /// The id of the app.
    pub app_id: String,
    /// The key and secret of the app.
    pub signer: Signer,
    /// Where the server reaches the engine's HTTP API.
    pub endpoint: EngineEndpoint,
    /// Where clients reach the engine, if not at `endpoint`.
    pub client: Option<ClientEndpoint>,
}

/// Where a Channels engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineEndpoint {
    /// At a cluster of pusher.com.
    Cluster(String),
    /// At another host.
    Host(ClientEndpoint),
}

impl EmbeddedConfig {
    /// Generates all credentials, and sends clients to the server's own address.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the credentials of the app.
    #[must_use]
    pub fn with_app(self, id: impl Into<String>, key: impl Into<String>, secret: impl Into<String>) -> Self {
        let (app_id, app_key, app_secret) = (Some(id.into()), Some(key.into()), Some(secret.into()));
        Self { app_id, app_key, app_secret, ..self }
    }

    /// Sets where clients reach the broker.
    #[must_use]
    pub fn with_client(self, client: ClientEndpoint) -> Self {
        Self { client: Some(client), ..self }
    }

    /// Adds a destination of the broker's webhooks.
    #[must_use]
    pub fn with_webhook(mut self, webhook: WebhookConfig) -> Self {
        self.webhooks.push(webhook);
        self
    }

    /// Lets the pages of an origin connect to the broker; those of further origins then cannot.
    #[must_use]
    pub fn with_allowed_origin(mut self, origin: AllowedOrigin) -> Self {
        self.allowed_origins.push(origin);
        self
    }

    /// Trusts the `X-Forwarded-For` of a proxy in front of the broker.
    #[must_use]
    pub fn with_trusted_proxy(mut self, proxy: TrustedProxy) -> Self {
        self.trusted_proxies.push(proxy);
        self
    }
}

impl EngineConfig {
    /// Returns the settings of an engine that clients reach where the server does.
    pub fn new(app_id: impl Into<String>, signer: Signer, endpoint: EngineEndpoint) -> Self {
        Self { app_id: app_id.into(), signer, endpoint, client: None }
    }

    /// Sets where clients reach the engine.
    #[must_use]
    pub fn with_client(self, client: ClientEndpoint) -> Self {
        Self { client: Some(client), ..self }
    }
}

impl From<EmbeddedConfig> for RealtimeConfig {
    fn from(config: EmbeddedConfig) -> Self {
        Self::Embedded(config)
    }
}

impl From<EngineConfig> for RealtimeConfig {
    fn from(config: EngineConfig) -> Self {
        Self::Engine(Box::new(config))
    }
}

impl Default for RealtimeConfig {
    fn default() -> Self {
        EmbeddedConfig::default().into()
    }
}

impl fmt::Debug for EmbeddedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedConfig")
            .field("app_id", &self.app_id)
            .field("app_key", &self.app_key)
            .field("client", &self.client)
            .field("webhooks", &self.webhooks)
            .field("allowed_origins", &self.allowed_origins)
            .field("trusted_proxies", &self.trusted_proxies)
            .finish_non_exhaustive()
    }
}
