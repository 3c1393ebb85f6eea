use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::broker::{App, Broker, Clock, Shared};
use crate::limits::Limits;
use crate::registry::Registry;
use crate::webhook::{Hooks, Sender, Webhook};

/// Sets up a [`Broker`]. What pusher.com's dashboard has off at first is off here too.
pub struct Builder {
    app: App,
    limits: Limits,
    client_events: bool,
    subscription_counts: bool,
    webhooks: Vec<Sender>,
    clock: Clock,
    random: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Builder {
    pub(crate) fn new(app: App) -> Self {
        Self {
            app,
            limits: Limits::default(),
            client_events: false,
            subscription_counts: false,
            webhooks: Vec::new(),
            clock: Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
            random: Box::new(rand::random),
        }
    }

    /// With other limits than [`Limits::default`].
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Whether clients may send events to each other, by Pusher's rules.
    #[must_use]
    pub fn client_events(self, client_events: bool) -> Self {
        Self { client_events, ..self }
    }

    /// Whether subscribers, and webhooks, are told how many they are (Pusher's "subscription count events").
    #[must_use]
    pub fn subscription_counts(self, subscription_counts: bool) -> Self {
        Self { subscription_counts, ..self }
    }

    /// Sends webhooks of all kinds by `send`, which is to tell `Ok` when the answer was a 2xx, and else why not, for the log. Otherwise
    /// the same webhook is sent again, with growing delays for [`Limits::webhook_retries`]. May be called again for another destination;
    /// one does not wait for the other.
    #[must_use]
    pub fn webhook<S, F>(mut self, send: S) -> Self
    where
        S: Fn(Webhook) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.webhooks.push(Box::new(move |webhook| Box::pin(send(webhook))));
        self
    }

    /// With a clock of its own, which tells the time since the Unix epoch: for the age of signed HTTP API requests, and in webhooks.
    #[must_use]
    pub fn clock(self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// With socket ids of these random numbers, of which no two in a row may be equal: for simulations.
    #[must_use]
    pub fn random(self, random: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { random: Box::new(random), ..self }
    }

    /// The broker.
    pub fn build(self) -> Broker {
        let hooks = Hooks::new(self.webhooks, &self.limits);
        let registry = Registry::new(&self.limits, self.subscription_counts, hooks, self.random);
        let shared = Shared::new(self.app, self.limits, registry, self.clock, self.client_events);
        Broker { shared: Arc::new(shared) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("app", &self.app)
            .field("limits", &self.limits)
            .field("client_events", &self.client_events)
            .field("subscription_counts", &self.subscription_counts)
            .field("webhooks", &self.webhooks.len())
            .finish_non_exhaustive()
    }
}
