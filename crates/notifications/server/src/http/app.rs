use std::sync::Arc;

use internal_notifications_models::{RealtimeInfo, Timestamp, UserId};
use pusher_broker::{Broker, ChannelName, SocketId};
use pusher_signer::Signer;

use crate::auth::{Authenticator, Policy, PushScope};
use crate::config::{AllowedHosts, ChannelPrefix, ClientEndpoint, Limits, Origin, UnservedUser};
use crate::metrics::Metrics;
use crate::realtime::{Connections, Embedded};
use crate::store::Store;
use crate::{Clock, Ids, SystemClock, UuidV7};

/// The parts that the routes work with.
#[derive(Clone)]
pub struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) signer: Signer,
    pub(crate) access: Access,
    pub(crate) broker: Option<Broker>,
    pub(crate) connections: Option<Arc<dyn Connections>>,
    pub(crate) channels: ChannelPrefix,
    pub(crate) position_check_seconds: u64,
    pub(crate) hosts: AllowedHosts,
    pub(crate) origins: Vec<Origin>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
}

/// Where clients reach the Channels engine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Where they reach this server.
    Here,
    /// At a cluster of pusher.com.
    Cluster(String),
    /// At a host.
    Host(ClientEndpoint),
}

impl App {
    /// The routes over this store, for callers that `authenticator` knows, signing channels with the engine's app key and secret.
    pub fn new(store: Arc<dyn Store>, authenticator: Arc<dyn Authenticator>, signer: Signer) -> Self {
        Self {
            store,
            authenticator,
            policy: Arc::new(PushScope),
            clock: Arc::new(SystemClock),
            ids: Arc::new(UuidV7),
            signer,
            access: Access::Here,
            broker: None,
            connections: None,
            channels: ChannelPrefix::default(),
            position_check_seconds: 60,
            hosts: AllowedHosts::Any,
            origins: Vec::new(),
            limits: Limits::default(),
            metrics: Arc::default(),
        }
    }

    /// With another policy than [`PushScope`].
    pub fn with_policy(self, policy: Arc<dyn Policy>) -> Self {
        Self { policy, ..self }
    }

    /// With another clock than the machine's.
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// With other ids than UUIDs.
    pub fn with_ids(self, ids: Arc<dyn Ids>) -> Self {
        Self { ids, ..self }
    }

    /// With clients that reach the engine elsewhere.
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// With the routes of this broker on the same port, whose connections end with the tokens that authorize them.
    pub fn with_broker(self, broker: Broker) -> Self {
        let connections = Arc::new(Embedded(broker.clone()));
        Self { broker: Some(broker), ..self }.with_connections(connections)
    }

    /// Closing users' connections by this; without it none can be closed.
    pub fn with_connections(self, connections: Arc<dyn Connections>) -> Self {
        Self { connections: Some(connections), ..self }
    }

    /// With another channel prefix than `private-`; the dispatcher must have the same.
    pub fn with_channel_prefix(self, channels: ChannelPrefix) -> Self {
        Self { channels, ..self }
    }

    /// With clients that check their position in another interval than 60 s.
    pub fn with_position_check_seconds(self, position_check_seconds: u64) -> Self {
        Self { position_check_seconds, ..self }
    }

    /// Answering to these hosts only.
    pub fn with_allowed_hosts(self, hosts: AllowedHosts) -> Self {
        Self { hosts, ..self }
    }

    /// With these web front ends.
    pub fn with_cors_origins(self, origins: Vec<Origin>) -> Self {
        Self { origins, ..self }
    }

    /// With other limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Counting here, and telling at `/metrics`, what the store and the dispatcher count too.
    pub fn with_metrics(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Tells the broker here what is about to be signed for one of its connections; it lasts no longer than what the user called with.
    pub(crate) fn authorize(&self, socket_id: &SocketId, channel: &ChannelName, until: Option<Timestamp>) {
        if let Some(broker) = &self.broker {
            let left = until.map(|until| until.as_duration() - self.clock.now().as_duration());
            broker.record_authorization(
                socket_id,
                channel,
                left.map(|left| left.try_into().unwrap_or_default()),
            );
        }
    }

    /// What this user's clients need to receive live events.
    pub(crate) fn realtime_info(&self, user_id: &UserId) -> Result<RealtimeInfo, UnservedUser> {
        let host = match &self.access {
            Access::Host(host) => Some(host),
            _ => None,
        };
        let cluster = match &self.access {
            Access::Cluster(cluster) => Some(cluster.clone()),
            _ => None,
        };
        let channel = self.channels.channel(user_id)?.to_string();
        let mut info = RealtimeInfo::new(self.signer.key(), channel, "/pusher/auth");
        info.position_check_seconds = self.position_check_seconds;
        info.cluster = cluster;
        info.host = host.map(|endpoint| endpoint.host.clone());
        info.port = host.map(|endpoint| endpoint.port);
        info.scheme = host.map(|endpoint| endpoint.scheme.as_str().to_owned());
        Ok(info)
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("access", &self.access)
            .field("channels", &self.channels)
            .field("hosts", &self.hosts)
            .field("origins", &self.origins)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
