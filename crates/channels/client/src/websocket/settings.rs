use std::sync::Arc;
use std::time::Duration;

use pusher_protocol::limits;
use rustls::ClientConfig;

use super::Connector;
use super::reconnect::Reconnect;
use crate::endpoint::Endpoint;
use crate::{Authorizer, UserAuthenticator};

/// The checked settings of a client.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) endpoint: Endpoint,
    pub(crate) url: String,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) authorizer: Option<Arc<dyn Authorizer>>,
    pub(crate) user_authenticator: Option<Arc<dyn UserAuthenticator>>,
    pub(crate) limits: Limits,
}

/// The timeouts and limits of a client.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) activity_timeout: Duration,
    pub(crate) pong_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) unavailable_after: Duration,
    pub(crate) subscribe_timeout: Duration,
    pub(crate) authorization_timeout: Duration,
    pub(crate) reconnect: Reconnect,
    pub(crate) queue: usize,
    pub(crate) client_events: Option<usize>,
    pub(crate) max_message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            activity_timeout: Duration::from_secs(limits::ACTIVITY_TIMEOUT_SECONDS),
            pong_timeout: Duration::from_secs(limits::PONG_TIMEOUT_SECONDS),
            connect_timeout: Duration::from_secs(10),
            unavailable_after: Duration::from_secs(10),
            subscribe_timeout: Duration::from_secs(10),
            authorization_timeout: Duration::from_secs(30),
            reconnect: Reconnect::default(),
            queue: 1024,
            client_events: Some(limits::CLIENT_EVENTS_PER_SECOND),
            max_message: 256 * 1024,
        }
    }
}
