use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast, mpsc, watch};

use super::actor::Actor;
use super::proxy::ProxyConnector;
use super::reconnect::at_most_a_day;
use super::settings::{Limits, Settings};
use super::{Client, ConnectionState, Connector};
use crate::endpoint::{EndpointParts, check_path_prefix, check_segment};
use crate::proxy::ProxySource;
use crate::{Authorizer, Backoff, Error, Roots, UserAuthenticator};

/// The capacity of the command channel. The actor serves commands at once.
const COMMANDS: usize = 64;
/// The number of errors that are kept for a reader of [`Client::errors`].
const ERRORS: usize = 16;

/// The shortest activity and pong timeout, so that zero does not cause a flood of pings.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);

/// Builds a [`Client`]. Timeouts are limited to a day.
#[derive(Clone)]
pub struct ClientBuilder {
    app_key: String,
    endpoint: EndpointParts,
    path_prefix: String,
    roots: Roots,
    authorizer: Option<Arc<dyn Authorizer>>,
    user_authenticator: Option<Arc<dyn UserAuthenticator>>,
    connector: Option<Arc<dyn Connector>>,
    proxy: ProxySource,
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
            proxy: ProxySource::System,
            limits: Limits::default(),
            seed: None,
        }
    }

    /// Connects to a cluster of pusher.com, such as `eu` or `mt1` (Pusher's "clusters").
    pub fn cluster(mut self, cluster: &str) -> Self {
        self.endpoint.host = Some(format!("ws-{cluster}.pusher.com"));
        self
    }

    /// Connects to another Channels server: a host name or an IP address.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.endpoint.host = Some(host.into());
        self
    }

    /// Sets the port. 443 by default, 80 without TLS.
    pub fn port(mut self, port: u16) -> Self {
        self.endpoint.port = Some(port);
        self
    }

    /// Turns TLS on or off. On by default.
    pub fn tls(mut self, tls: bool) -> Self {
        self.endpoint.tls = tls;
        self
    }

    /// Sets the path before `/app/…` in the URL. Empty by default.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// Sets the certificate authorities that TLS trusts. [`Roots::new`] by default.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Sets the authorizer, which private, presence and encrypted channels need. None by default.
    pub fn authorizer(mut self, authorizer: impl Authorizer + 'static) -> Self {
        self.authorizer = Some(Arc::new(authorizer));
        self
    }

    /// Sets the user authenticator, which [`Client::sign_in`] needs. None by default.
    pub fn user_authenticator(mut self, authenticator: impl UserAuthenticator + 'static) -> Self {
        self.user_authenticator = Some(Arc::new(authenticator));
        self
    }

    /// Replaces TCP and proxy by another connector. With [`TcpConnector`](crate::TcpConnector), no
    /// proxy is used.
    pub fn connector(mut self, connector: impl Connector + 'static) -> Self {
        self.connector = Some(Arc::new(connector));
        self
    }

    /// Sets the proxy of the connection: `http://host:port` (with `CONNECT`), `socks5://host:port`,
    /// or `socks5h://host:port` if the proxy is to resolve the server's name; before the host
    /// `name:password@` where needed.
    ///
    /// By default the environment decides: `HTTPS_PROXY` (with TLS), `HTTP_PROXY` (without),
    /// `ALL_PROXY` and `NO_PROXY`, in upper or lower case, or else the settings of macOS or
    /// Windows; except for a server on this machine. An unsupported proxy is an error of
    /// [`connect`](Self::connect).
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxySource::Url(url.into());
        self
    }

    /// Sets how long the client waits for a frame before it pings the server. If the server sends a
    /// smaller number, that is used. 120 s by default, at least 1 s.
    pub fn activity_timeout(mut self, timeout: Duration) -> Self {
        self.limits.activity_timeout = at_most_a_day(timeout).max(SHORTEST_TIMEOUT);
        self
    }

    /// Sets how long the client waits for the answer to a ping before it replaces the connection.
    /// 30 s by default, at least 1 s.
    pub fn pong_timeout(mut self, timeout: Duration) -> Self {
        self.limits.pong_timeout = at_most_a_day(timeout).max(SHORTEST_TIMEOUT);
        self
    }

    /// Sets the timeout of an attempt: TCP, TLS, the upgrade and the server's first event together.
    /// 10 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_timeout = at_most_a_day(timeout);
        self
    }

    /// Sets how long without a connection the state becomes [`ConnectionState::Unavailable`]. 10 s
    /// by default.
    pub fn unavailable_after(mut self, after: Duration) -> Self {
        self.limits.unavailable_after = at_most_a_day(after);
        self
    }

    /// Sets how long the client waits for the server to confirm a subscription before it subscribes
    /// again, with a new authorization. 10 s by default.
    pub fn subscribe_timeout(mut self, timeout: Duration) -> Self {
        self.limits.subscribe_timeout = at_most_a_day(timeout);
        self
    }

    /// Sets how long the client waits for the authorizer before it calls it again. 30 s by default.
    pub fn authorization_timeout(mut self, timeout: Duration) -> Self {
        self.limits.authorization_timeout = at_most_a_day(timeout);
        self
    }

    /// Sets the waits between attempts to connect, to authorize, and to subscribe. From 0.5 s up to
    /// 10 s by default. After close codes 4100 to 4199 a wait is a second longer.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.limits.reconnect.backoff = backoff;
        self
    }

    /// Sets how long a connection must last for the backoff to begin again. 5 s by default.
    pub fn backoff_reset_after(mut self, after: Duration) -> Self {
        self.limits.reconnect.reset_after = at_most_a_day(after);
        self
    }

    /// Sets how many events a subscriber's queue holds before events are dropped. 1,024 by default,
    /// at least 1.
    pub fn queue_size(mut self, events: usize) -> Self {
        self.limits.queue = events.max(1);
        self
    }

    /// Sets how many client events may be sent per second; `None` is no limit. 10 by default, the
    /// limit of pusher.com for a connection.
    pub fn client_event_limit(mut self, limit: Option<usize>) -> Self {
        self.limits.client_events = limit;
        self
    }

    /// Sets the largest message from the server in bytes; a larger one ends the connection. 256 KiB
    /// by default: enough for the 10 KiB of an event with escapes, and for a hundred members of a
    /// presence channel.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.limits.max_message = bytes;
        self
    }

    /// Seeds the random part of waits, so that simulations are repeatable.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Builds the client and connects. Must be called within a tokio runtime, on which the client's
    /// task runs.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if host or app key are
    /// missing or malformed, the proxy is not supported, certificates cannot be loaded, or there is
    /// no runtime.
    pub fn connect(self) -> Result<Client, Error> {
        self.start(true)
    }

    /// Builds the client without connecting; [`Client::connect`] does.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn build(self) -> Result<Client, Error> {
        self.start(false)
    }

    fn start(self, connect: bool) -> Result<Client, Error> {
        let runtime = Handle::try_current()
            .map_err(|error| Error::configuration("a client needs a tokio runtime").with_cause(error))?;
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
        let path_prefix = check_path_prefix(&self.path_prefix)?;
        let tls = match endpoint.tls {
            true => Some(Arc::new(self.roots.client_config()?)),
            false => None,
        };
        let connector: Arc<dyn Connector> = match self.connector {
            Some(connector) => connector,
            None => Arc::new(ProxyConnector {
                proxy: self.proxy.select(&endpoint)?,
                // Leaves time for TLS and the upgrade.
                limit: self.limits.connect_timeout / 2,
            }),
        };
        Ok(Settings {
            url: endpoint.websocket_url(&path_prefix, &self.app_key),
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
