use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast, mpsc, watch};

use super::actor::Actor;
use super::proxy::ProxyConnector;
use super::settings::{Limits, Settings, reasonable};
use super::{Client, ConnectionState, Connector};
use crate::endpoint::{EndpointParts, check_segment};
use crate::{Authorizer, Backoff, Error, ErrorKind, Roots, UserAuthenticator};

/// Commands that may wait for the actor; it serves them at once.
const COMMANDS: usize = 64;
/// Errors kept for a reader of [`Client::errors`].
const ERRORS: usize = 16;

/// The shortest time-outs of keeping alive, so that a zero does not make a flood of pings.
const LEAST: Duration = Duration::from_secs(1);

/// Builds a [`Client`].
#[derive(Clone)]
pub struct ClientBuilder {
    app_key: String,
    endpoint: EndpointParts,
    path_prefix: String,
    roots: Roots,
    authorizer: Option<Arc<dyn Authorizer>>,
    user_authenticator: Option<Arc<dyn UserAuthenticator>>,
    connector: Option<Arc<dyn Connector>>,
    proxy: Option<String>,
    limits: Limits,
    seed: Option<u64>,
}

impl ClientBuilder {
    pub(super) fn new(app_key: String) -> Self {
        Self {
            app_key,
            endpoint: EndpointParts::new(),
            path_prefix: String::new(),
            roots: Roots::new(),
            authorizer: None,
            user_authenticator: None,
            connector: None,
            proxy: None,
            limits: Limits::default(),
            seed: None,
        }
    }

    /// The cluster at pusher.com: `eu`, `mt1`, … (Pusher's "clusters").
    pub fn cluster(mut self, cluster: &str) -> Self {
        self.endpoint.host = Some(format!("ws-{cluster}.pusher.com"));
        self
    }

    /// The host of another Channels server: a name or an address.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.endpoint.host = Some(host.into());
        self
    }

    /// The port. 443, or 80 without TLS, by default.
    pub fn port(mut self, port: u16) -> Self {
        self.endpoint.port = Some(port);
        self
    }

    /// Whether to use TLS. On by default.
    pub fn tls(mut self, tls: bool) -> Self {
        self.endpoint.tls = tls;
        self
    }

    /// What stands before `/app/…` in the server's path. Nothing by default.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// Whom TLS trusts. [`Roots::new`] by default.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Who signs subscriptions to private and presence channels. None by default.
    pub fn authorizer(mut self, authorizer: Arc<dyn Authorizer>) -> Self {
        self.authorizer = Some(authorizer);
        self
    }

    /// Who says which user [`Client::sign_in`] signs in as. None by default.
    pub fn user_authenticator(mut self, authenticator: Arc<dyn UserAuthenticator>) -> Self {
        self.user_authenticator = Some(authenticator);
        self
    }

    /// Who opens connections, instead of TCP and proxy. [`TcpConnector`](crate::TcpConnector) goes without a proxy.
    pub fn connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.connector = Some(connector);
        self
    }

    /// The HTTP proxy to reach the server through, with `CONNECT`: `http://host:port`, before which a name and a password
    /// may stand. By default what `HTTPS_PROXY` (with TLS), `HTTP_PROXY` (without), `ALL_PROXY` and `NO_PROXY` say, in
    /// capitals or not; and none for a server on this machine. A proxy of another kind there is an error of
    /// [`connect`](Self::connect).
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// After how long without a frame to ask for a sign of life; the server's number counts when it is smaller. 120 s by
    /// default, 1 s at least.
    pub fn activity_timeout(mut self, timeout: Duration) -> Self {
        self.limits.activity_timeout = reasonable(timeout).max(LEAST);
        self
    }

    /// How long to wait for that sign of life before the connection is replaced. 30 s by default, 1 s at
    /// least.
    pub fn pong_timeout(mut self, timeout: Duration) -> Self {
        self.limits.pong_timeout = reasonable(timeout).max(LEAST);
        self
    }

    /// How long an attempt may take: TCP, TLS, the upgrade and the server's first event together. 10 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_timeout = reasonable(timeout);
        self
    }

    /// After how long without a connection the state is [`ConnectionState::Unavailable`]. 10 s by default.
    pub fn unavailable_after(mut self, after: Duration) -> Self {
        self.limits.unavailable_after = reasonable(after);
        self
    }

    /// How long to wait for the server's confirmation before a channel is subscribed again, with a fresh authorization.
    /// 10 s by default.
    pub fn subscribe_timeout(mut self, timeout: Duration) -> Self {
        self.limits.subscribe_timeout = reasonable(timeout);
        self
    }

    /// How long the authorizer may take before it is asked again. 30 s by default.
    pub fn authorization_timeout(mut self, timeout: Duration) -> Self {
        self.limits.authorization_timeout = reasonable(timeout);
        self
    }

    /// Sets the waits between attempts to connect, to authorize, and to subscribe. From 0.5 s up to 10 s
    /// by default. After close codes 4100 to 4199 a wait is a second longer.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.limits.reconnect.backoff = backoff;
        self
    }

    /// Sets how long a connection must last for the backoff to begin again. 5 s by default.
    pub fn backoff_reset_after(mut self, after: Duration) -> Self {
        self.limits.reconnect.reset_after = reasonable(after);
        self
    }

    /// How many events wait for a subscriber before it lags; at least 1. 1,024 by default.
    pub fn queue_size(mut self, events: usize) -> Self {
        self.limits.queue = events.max(1);
        self
    }

    /// How many client events may be sent in a second; none for any number. 10 by default, as pusher.com allows each
    /// connection.
    pub fn client_event_limit(mut self, limit: Option<usize>) -> Self {
        self.limits.client_events = limit;
        self
    }

    /// The largest message taken from the server, in bytes; a larger one ends the connection. 256 KiB by default: an event
    /// holds 10 KiB of data, which JSON may write six times as long; a presence channel's hundred members need more.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.limits.max_message = bytes;
        self
    }

    /// Makes the random part of waits repeatable. For simulations.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The client, connecting. Needs a tokio runtime, on which its task runs.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when host or app key are missing or malformed, the proxy is none of `http://`, or there is no
    /// runtime.
    pub fn connect(self) -> Result<Client, Error> {
        self.start(true)
    }

    /// The client, without a connection until [`Client::connect`].
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn build(self) -> Result<Client, Error> {
        self.start(false)
    }

    fn start(self, connect: bool) -> Result<Client, Error> {
        let runtime = Handle::try_current()
            .map_err(|_| Error::new(ErrorKind::Configuration, "a client needs a tokio runtime"))?;
        let rng = match self.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_rng(&mut rand::rng()),
        };
        let settings = self.settings()?;
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (state, states) = watch::channel(ConnectionState::Initialized);
        let (errors, _) = broadcast::channel(ERRORS);
        let dropped = Arc::new(Notify::new());
        let client = Client {
            commands,
            state: states,
            errors: errors.downgrade(),
            dropped: dropped.clone(),
            queue_size: settings.limits.queue,
            can_authorize: settings.authorizer.is_some(),
            can_authenticate: settings.user_authenticator.is_some(),
        };
        let mut actor = Actor::new(settings, inbox, dropped, state, errors, rng);
        if connect {
            actor.connect();
        }
        runtime.spawn(actor.run());
        Ok(client)
    }

    fn settings(self) -> Result<Settings, Error> {
        check_segment("app key", &self.app_key)?;
        let endpoint = self.endpoint.finish()?;
        let segments = self.path_prefix.trim_matches('/');
        if !segments.is_empty() {
            segments.split('/').try_for_each(|segment| check_segment("path prefix", segment))?;
        }
        let tls = match endpoint.tls {
            true => Some(Arc::new(self.roots.client_config()?)),
            false => None,
        };
        let connector = match (self.connector, self.proxy) {
            (Some(connector), _) => connector,
            (None, Some(proxy)) => Arc::new(ProxyConnector::new(&proxy)?),
            (None, None) => Arc::new(ProxyConnector::from_env(&endpoint)?),
        };
        Ok(Settings {
            url: endpoint.websocket_url(&self.path_prefix, &self.app_key),
            endpoint,
            tls,
            connector,
            authorizer: self.authorizer,
            user_authenticator: self.user_authenticator,
            limits: self.limits,
        })
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
