use std::sync::Arc;

use pusher_broker::{Broker, Builder};
use pusher_client::{HttpApi, Retry, Roots};
use pusher_signer::Signer;

use super::{ClientAddress, EmbeddedBroker, Realtime, RemoteEngine};
use crate::config::{
    Config, ConfigError, EmbeddedConfig, EngineConfig, EngineEndpoint, RealtimeConfig, Scheme,
};
use crate::error::Error;
use crate::generated_secrets;
use crate::store::Store;

/// A Channels engine with what the routes need to let clients in to it.
#[derive(Clone)]
pub struct RealtimeParts {
    pub(crate) realtime: Arc<dyn Realtime>,
    pub(crate) signer: Signer,
    pub(crate) client_address: ClientAddress,
    pub(crate) broker: Option<Broker>,
}

impl RealtimeParts {
    /// Publishes through `realtime`, and signs channels with the engine's app key and secret.
    /// Clients are sent to this server unless [`with_client_address`](Self::with_client_address)
    /// names another place.
    pub fn new(realtime: impl Realtime, signer: Signer) -> Self {
        let client_address = ClientAddress::SameServer;
        Self { realtime: Arc::new(realtime), signer, client_address, broker: None }
    }

    /// Publishes through a broker in this process and serves its routes. Sockets that a credential
    /// authorized are closed when it expires. `signer` has the key and secret of the broker's app.
    pub fn embedded(broker: Broker, signer: Signer) -> Self {
        Self::new(EmbeddedBroker(broker.clone()), signer).with_broker(broker)
    }

    /// Serves the routes of this broker and shuts it down with the node.
    #[must_use]
    pub fn with_broker(self, broker: Broker) -> Self {
        Self { broker: Some(broker), ..self }
    }

    /// Sets where clients reach the engine.
    #[must_use]
    pub fn with_client_address(self, client_address: ClientAddress) -> Self {
        Self { client_address, ..self }
    }

    pub(crate) async fn from_config(config: &Config, store: &dyn Store) -> Result<Self, Error> {
        match &config.realtime {
            RealtimeConfig::Embedded(broker) => Self::start_broker(broker, config, store).await,
            RealtimeConfig::Engine(engine) => Self::connect(engine, &config.roots),
        }
    }

    async fn start_broker(config: &EmbeddedConfig, whole: &Config, store: &dyn Store) -> Result<Self, Error> {
        let configured = [&config.app_id, &config.app_key, &config.app_secret].map(Option::clone);
        let [id, key, secret] = generated_secrets::app(store, configured).await?;
        let signer = Signer::new(key, &secret);
        let builder = Broker::builder(id, signer.clone()).limits(whole.limits.broker.clone());
        let mut webhooks = config.webhooks.iter();
        let builder = webhooks.try_fold(builder, |builder, webhook| webhook.add_to(builder, &whole.roots));
        let builder = builder.map_err(ConfigError::webhook)?;
        let builder = config.allowed_origins.iter().cloned().fold(builder, Builder::allowed_origin);
        let broker = config.trusted_proxies.iter().copied().fold(builder, Builder::trusted_proxy).build();
        let parts = Self::embedded(broker, signer);
        Ok(match &config.client {
            Some(endpoint) => parts.with_client_address(ClientAddress::Host(endpoint.clone())),
            None => parts,
        })
    }

    fn connect(engine: &EngineConfig, roots: &Roots) -> Result<Self, Error> {
        // The dispatcher repeats what failed, in order.
        let builder = HttpApi::builder(engine.app_id.clone(), engine.signer.clone());
        let builder = builder.retry(Retry::never()).roots(roots.clone());
        let (builder, address) = match engine.endpoint.clone() {
            EngineEndpoint::Cluster(cluster) => (builder.cluster(&cluster), ClientAddress::Cluster(cluster)),
            EngineEndpoint::Host(host) => {
                let tls = host.scheme == Scheme::Https;
                (builder.host(host.host.clone()).port(host.port).tls(tls), ClientAddress::Host(host))
            }
        };
        let api = builder.build().map_err(Error::engine)?;
        let address = engine.client.clone().map_or(address, ClientAddress::Host);
        Ok(Self::new(RemoteEngine(api), engine.signer.clone()).with_client_address(address))
    }
}

impl std::fmt::Debug for RealtimeParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RealtimeParts").field("client_address", &self.client_address).finish_non_exhaustive()
    }
}
