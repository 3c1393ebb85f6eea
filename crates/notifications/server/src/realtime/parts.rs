use std::sync::Arc;

use pusher_broker::Broker;
use pusher_client::{HttpApi, Retry};
use pusher_signer::Signer;

use crate::config::{Config, EngineConfig, EngineEndpoint, RealtimeConfig, Scheme};
use crate::error::{Error, ErrorKind};
use crate::http::Access;
use crate::kept;
use crate::realtime::{Connections, Embedded, Engine, Realtime};
use crate::store::Store;

/// The way to connected clients, as configured.
pub(crate) struct Live {
    pub(crate) realtime: Arc<dyn Realtime>,
    pub(crate) signer: Signer,
    pub(crate) access: Access,
    pub(crate) broker: Option<Broker>,
    pub(crate) connections: Arc<dyn Connections>,
}

impl Live {
    pub(crate) async fn new(store: &dyn Store, config: &Config) -> Result<Self, Error> {
        match &config.realtime {
            RealtimeConfig::Embedded(embedded) => {
                let embedded = embedded.clone();
                let configured = [embedded.app_id, embedded.app_key, embedded.app_secret];
                let [id, key, secret] = kept::app(store, configured).await?;
                let signer = Signer::new(key, &secret);
                let app = pusher_broker::App { id, signer: signer.clone() };
                let broker = Broker::new(app, config.limits.broker.clone());
                Ok(Self {
                    realtime: Arc::new(Embedded(broker.clone())),
                    signer,
                    access: embedded.client.map_or(Access::Here, Access::Host),
                    connections: Arc::new(Embedded(broker.clone())),
                    broker: Some(broker),
                })
            }
            RealtimeConfig::Engine(engine) => Self::of_engine(engine),
        }
    }

    fn of_engine(engine: &EngineConfig) -> Result<Self, Error> {
        // The relay, which keeps the order, tries again.
        let builder = HttpApi::builder(engine.app_id.clone(), engine.signer.clone()).retry(Retry::never());
        let (builder, access) = match engine.endpoint.clone() {
            EngineEndpoint::Cluster(cluster) => (builder.cluster(&cluster), Access::Cluster(cluster)),
            EngineEndpoint::Host(host) => {
                let tls = host.scheme == Scheme::Https;
                (builder.host(host.host.clone()).port(host.port).tls(tls), Access::Host(host))
            }
        };
        let api = builder.build().map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()))?;
        Ok(Self {
            connections: Arc::new(Engine(api.clone())),
            realtime: Arc::new(Engine(api)),
            signer: engine.signer.clone(),
            access: engine.client.clone().map_or(access, Access::Host),
            broker: None,
        })
    }
}
