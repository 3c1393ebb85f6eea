use std::sync::Arc;

use internal_notifications_models::{RealtimeInfo, Timestamp, UserId};
use pusher_broker::{ChannelName, SocketId};
use tokio_util::sync::CancellationToken;

use crate::auth::{Authenticator, Policy};
use crate::clock_guard::ClockGuard;
use crate::config::{ClientEndpoint, Config, UnservedUser};
use crate::health::Health;
use crate::http::BodyBudget;
use crate::http::problem::{ApiError, Kind};
use crate::metrics::Metrics;
use crate::realtime::{ClientAddress, RealtimeParts};
use crate::store::Store;
use crate::{Clock, IdGenerator};

/// What the routes share.
pub(crate) struct AppState {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) policy: Arc<dyn Policy>,
    /// The clock by which credentials expire.
    pub(crate) clock: Arc<dyn Clock>,
    /// The time of what is stored.
    pub(crate) guard: Arc<ClockGuard>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) realtime: RealtimeParts,
    pub(crate) config: Config,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Health,
    pub(crate) bodies: Arc<BodyBudget>,
    /// Cancelled once the node was dropped or shut down.
    pub(crate) stopped: CancellationToken,
}

impl AppState {
    /// Returns an error once the node has stopped, because nobody would publish further changes.
    pub(crate) fn check_running(&self) -> Result<(), ApiError> {
        match self.stopped.is_cancelled() {
            true => Err(ApiError::new(Kind::Unavailable, "the server has stopped")),
            false => Ok(()),
        }
    }

    /// Informs the embedded broker, if there is one, that a signature for this socket and channel
    /// follows, and that it expires with the caller's credential.
    pub(crate) fn authorize(
        &self,
        socket_id: &SocketId,
        channel: &ChannelName,
        expires_at: Option<Timestamp>,
    ) {
        if let Some(broker) = &self.realtime.broker {
            let left = expires_at.map(|at| at.as_duration() - self.clock.now().as_duration());
            let left = left.map(|left| left.try_into().unwrap_or_default());
            broker.record_authorization(socket_id, channel, left);
        }
    }

    /// Returns what this user's clients need to receive live events.
    pub(crate) fn realtime_info(&self, user_id: &UserId) -> Result<RealtimeInfo, UnservedUser> {
        let (cluster, host) = match &self.realtime.client_address {
            ClientAddress::SameServer => (None, None),
            ClientAddress::Cluster(cluster) => (Some(cluster.clone()), None),
            ClientAddress::Host(host) => (None, Some(host)),
        };
        let channel = self.config.channel_prefix.channel(user_id)?.to_string();
        let mut info = RealtimeInfo::new(self.realtime.signer.key(), channel, "/pusher/auth");
        info.position_check_seconds = self.config.position_check_seconds;
        info.cluster = cluster;
        info.host = host.map(ClientEndpoint::host_in_url);
        info.port = host.map(|endpoint| endpoint.port);
        info.scheme = host.map(|endpoint| endpoint.scheme.as_str().to_owned());
        Ok(info)
    }
}
