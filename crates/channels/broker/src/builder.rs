use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pusher_signer::Signer;
use tokio::sync::watch;

use crate::allowed_origin::AllowedOrigin;
use crate::broker::Broker;
use crate::clock::{self, Clock};
use crate::counters::Counters;
use crate::limits::Limits;
use crate::registry::Registry;
use crate::room::Room;
use crate::shared::Shared;
use crate::tasks::Tasks;
use crate::trusted_proxy::TrustedProxy;
use crate::webhook::{Webhook, WebhookDestination, Webhooks};

impl Broker {
    /// Creates a broker with the default settings for the app with this id, key and secret.
    pub fn new(app_id: impl Into<String>, signer: Signer) -> Self {
        Self::builder(app_id, signer).build()
    }

    /// Starts to configure a broker. `app_id` is the id in the paths of the HTTP API; `signer`
    /// holds the key that clients connect with, and the secret.
    pub fn builder(app_id: impl Into<String>, signer: Signer) -> Builder {
        Builder {
            app_id: app_id.into(),
            signer,
            limits: Limits::default(),
            client_events: false,
            subscription_counts: false,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            webhooks: Vec::new(),
            clock: clock::system(),
            random: Box::new(rand::random),
        }
    }
}

/// Configures a [`Broker`]. The features that pusher.com's dashboard has off by default are off
/// here too.
pub struct Builder {
    pub(crate) app_id: String,
    signer: Signer,
    pub(crate) limits: Limits,
    client_events: bool,
    subscription_counts: bool,
    allowed_origins: Vec<AllowedOrigin>,
    pub(crate) trusted_proxies: Vec<TrustedProxy>,
    webhooks: Vec<WebhookDestination>,
    clock: Clock,
    random: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Builder {
    /// Sets the limits. Default: [`Limits::default`].
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets whether clients may send events to each other, by Pusher's rules. Default: false.
    #[must_use]
    pub fn client_events(self, client_events: bool) -> Self {
        Self { client_events, ..self }
    }

    /// Sets whether subscribers and webhooks receive the number of a channel's subscribers
    /// (Pusher's "subscription count events"). Default: false.
    #[must_use]
    pub fn subscription_counts(self, subscription_counts: bool) -> Self {
        Self { subscription_counts, ..self }
    }

    /// Lets the pages of an origin connect; those of further origins then cannot, and are closed
    /// with code 4009. Default: the pages of all origins may connect.
    ///
    /// This keeps other sites' pages from using the app with their visitors' browsers. It is no
    /// access control: programs other than browsers send any `Origin` or none, and a connection
    /// without one is accepted.
    #[must_use]
    pub fn allowed_origin(mut self, origin: AllowedOrigin) -> Self {
        self.allowed_origins.push(origin);
        self
    }

    /// Trusts the `X-Forwarded-For` of proxies, to learn the address of the client for
    /// [`Limits::connections_per_address`]. Default: none is trusted.
    ///
    /// The peer's address comes from axum's
    /// [`into_make_service_with_connect_info::<SocketAddr>`][axum]; without it nothing is counted.
    /// Peers on loopback and in private networks are not counted unless they are trusted, since
    /// they are most likely proxies. Behind another proxy or a CDN, all clients count as one until
    /// it is trusted here. The proxy must replace or extend the header.
    ///
    /// [axum]: axum::Router::into_make_service_with_connect_info
    #[must_use]
    pub fn trusted_proxy(mut self, proxy: TrustedProxy) -> Self {
        self.trusted_proxies.push(proxy);
        self
    }

    /// Adds a destination of webhooks of all kinds.
    ///
    /// `send` returns `Ok` if the response was a 2xx, and otherwise a reason for the log. See
    /// [`webhook_to`](Self::webhook_to), which also takes a filter and distinguishes a response of
    /// 413.
    #[must_use]
    pub fn webhook<S, F>(self, send: S) -> Self
    where
        S: Fn(Webhook) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.webhook_to(WebhookDestination::new(send))
    }

    /// Adds a destination of webhooks. Destinations do not wait for each other.
    ///
    /// A webhook that failed is sent again with growing delays for
    /// [`Limits::webhook_retry_period`]: after 1, 2, 4 seconds and so on, at last every 60
    /// seconds, so ten times in all by default, if the destination refuses at once. Later webhooks
    /// do not wait for it, unless sixteen have failed: then nothing new is sent until the
    /// destination accepts one of them, or one is given up, at the end of its period or when it was
    /// refused five times while others were accepted.
    ///
    /// So webhooks may arrive out of order. But an event never overtakes an earlier one about the
    /// same channel's occupancy, the same member, or the same channel's subscription count. While a
    /// destination is slow, a channel or member that came and left again is not reported to it, and
    /// of several counts only the last.
    #[must_use]
    pub fn webhook_to(mut self, destination: WebhookDestination) -> Self {
        self.webhooks.push(destination);
        self
    }

    /// Sets the clock, which returns the time since the Unix epoch. It decides the age of signed
    /// HTTP requests and the time in webhooks. Default: the system's clock.
    #[must_use]
    pub fn clock(self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets the source of random numbers for socket ids, for simulations. It must not return the
    /// same number for ever. Default: the thread's generator.
    #[must_use]
    pub fn random(self, random: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { random: Box::new(random), ..self }
    }

    /// Creates the broker.
    pub fn build(mut self) -> Broker {
        let room = Room::new(&self.limits, std::mem::take(&mut self.trusted_proxies));
        self.build_in(Arc::new(room))
    }

    /// Creates the broker in a room that others may share.
    pub(crate) fn build_in(self, room: Arc<Room>) -> Broker {
        let webhooks = Webhooks::new(self.webhooks, &self.limits);
        let registry = Registry::new(&self.limits, self.subscription_counts, webhooks, self.random);
        let shared = Shared {
            app_id: self.app_id,
            signer: self.signer,
            room,
            limits: self.limits,
            registry,
            clock: self.clock,
            client_events: self.client_events,
            allowed_origins: self.allowed_origins,
            tasks: Tasks::default(),
            counters: Counters::default(),
            connection_tasks: watch::Sender::new(0),
        };
        Broker { shared: Arc::new(shared) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("app_id", &self.app_id)
            .field("signer", &self.signer)
            .field("limits", &self.limits)
            .field("client_events", &self.client_events)
            .field("subscription_counts", &self.subscription_counts)
            .field("allowed_origins", &self.allowed_origins)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("webhooks", &self.webhooks.len())
            .finish_non_exhaustive()
    }
}
