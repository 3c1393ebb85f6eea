mod batch;
mod counters;
mod delivery;
mod destination;
mod error;
mod event;
mod filter;
mod grace;
mod kind;
mod outbox;
mod queue;
mod retries;
mod size;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pusher_signer::Signer;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::limits::Limits;
use crate::tasks::Tasks;
pub(crate) use counters::WebhookCounters;
use delivery::Delivery;
use destination::SendWebhook;
pub use destination::WebhookDestination;
pub use error::WebhookError;
pub(crate) use event::WebhookEvent;
use grace::Grace;
pub use kind::WebhookKind;
use queue::Queue;
use size::Size;

/// A signed webhook. Send it as a `POST` with [`headers`](Self::headers) and exactly these bytes of
/// [`body`](Self::body) (Pusher's "webhooks" page).
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    headers: [(&'static str, String); 3],
    body: String,
}

impl Webhook {
    /// Returns the headers to send.
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        self.headers.each_ref().map(|(name, value)| (*name, value.as_str()))
    }

    /// Returns the body, a JSON text.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// The destinations of webhooks, each with its queue.
#[derive(Default)]
pub(crate) struct Webhooks {
    grace: Arc<Grace>,
    destinations: Vec<Arc<SendWebhook>>,
    is_started: AtomicBool,
    counters: Arc<WebhookCounters>,
    /// Ends the tasks when it is dropped.
    alive: watch::Sender<()>,
}

impl Webhooks {
    pub(crate) fn new(destinations: Vec<WebhookDestination>, limits: &Limits) -> Self {
        let capacity = Size { events: limits.webhook_queue, bytes: limits.webhook_queue_bytes };
        let counters = Arc::<WebhookCounters>::default();
        let (queues, destinations) = destinations
            .into_iter()
            .map(|WebhookDestination { send, filter }| {
                (Arc::new(Queue::new(capacity, filter, counters.clone())), Arc::new(send))
            })
            .unzip();
        let grace = Arc::new(Grace::new(queues, limits));
        Self { grace, destinations, counters, ..Self::default() }
    }

    /// Returns what was sent, sent again and dropped so far, of all destinations together.
    pub(crate) fn counters(&self) -> &WebhookCounters {
        &self.counters
    }

    /// Queues an event for every destination that wants it. `event` is only called if there are
    /// destinations.
    pub(crate) fn notify(&self, event: impl FnOnce() -> WebhookEvent) {
        if !self.destinations.is_empty() {
            self.grace.push(event());
        }
    }

    /// Starts to send; needs a runtime. Further calls do nothing.
    pub(crate) fn start(&self, signer: &Signer, clock: &Clock, limits: &Limits, tasks: &Tasks) {
        if self.destinations.is_empty() || self.is_started.swap(true, Ordering::Relaxed) {
            return;
        }
        let runtime = Handle::current();
        let grace = self.grace.clone();
        tasks.spawn(&runtime, "webhooks", self.while_alive(async move { grace.run().await }));
        for (queue, send) in self.grace.queues().iter().zip(&self.destinations) {
            let delivery =
                Delivery::new(queue.clone(), send.clone(), self.counters.clone(), signer, clock, limits);
            tasks.spawn(&runtime, "webhooks", self.while_alive(delivery.run()));
        }
    }

    /// Ends a task when the broker is dropped.
    fn while_alive(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let mut alive = self.alive.subscribe();
        async move {
            tokio::select! {
                () = task => {}
                // Nothing is ever sent.
                _ = alive.changed() => {}
            }
        }
    }
}
