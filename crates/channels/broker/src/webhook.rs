mod counters;
mod delayed;
mod delivery;
mod event;
mod queue;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;

use crate::limits::Limits;
use crate::shared::Shared;
pub(crate) use counters::WebhookCounters;
use delivery::Delivery;
pub(crate) use event::WebhookEvent;
use queue::{Queue, Size};

/// A signed webhook. Send it as a `POST` with [`headers`](Self::headers) and exactly these bytes of
/// [`body`](Self::body) (Pusher's "webhooks" page).
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    key: String,
    signature: String,
    body: String,
}

impl Webhook {
    /// Returns the headers to send.
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [
            ("Content-Type", "application/json"),
            ("X-Pusher-Key", &self.key),
            ("X-Pusher-Signature", &self.signature),
        ]
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

type Sending = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Sends a webhook to its destination with the host's HTTP client.
pub(crate) type SendWebhook = Box<dyn Fn(Webhook) -> Sending + Send + Sync>;

/// The destinations of webhooks, each with its queue.
#[derive(Default)]
pub(crate) struct Webhooks {
    destinations: Vec<Destination>,
    is_started: AtomicBool,
    counters: Arc<WebhookCounters>,
}

struct Destination {
    queue: Arc<Queue>,
    send: Arc<SendWebhook>,
}

impl Webhooks {
    pub(crate) fn new(destinations: Vec<SendWebhook>, limits: &Limits) -> Self {
        let capacity = Size { events: limits.webhook_queue, bytes: limits.webhook_queue_bytes };
        let counters = Arc::<WebhookCounters>::default();
        let destination = |send| Destination {
            queue: Arc::new(Queue::new(capacity, limits.webhook_grace, counters.clone())),
            send: Arc::new(send),
        };
        Self {
            destinations: destinations.into_iter().map(destination).collect(),
            is_started: AtomicBool::new(false),
            counters,
        }
    }

    /// Returns what was sent, sent again and dropped so far, of all destinations together.
    #[allow(dead_code, reason = "read by the metrics")]
    pub(crate) fn counters(&self) -> &WebhookCounters {
        &self.counters
    }

    /// Queues an event for every destination. `event` is only called if there are any.
    pub(crate) fn notify(&self, event: impl FnOnce() -> WebhookEvent) {
        if self.destinations.is_empty() {
            return;
        }
        let event = event();
        self.destinations.iter().for_each(|destination| destination.queue.push(event.clone()));
    }

    /// Starts to send; needs a runtime. Further calls do nothing.
    pub(crate) fn start(&self, Shared { signer, clock, limits, tasks, .. }: &Shared) {
        if self.destinations.is_empty() || self.is_started.swap(true, Ordering::Relaxed) {
            return;
        }
        let runtime = Handle::current();
        for Destination { queue, send } in &self.destinations {
            let delivery = Delivery {
                queue: queue.clone(),
                send: send.clone(),
                counters: self.counters.clone(),
                signer: signer.clone(),
                clock: clock.clone(),
                timeout: limits.webhook_timeout,
                retry_period: limits.webhook_retry_period,
            };
            tasks.spawn(&runtime, "webhooks", delivery.run());
        }
    }
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.destinations.iter().for_each(|destination| destination.queue.close());
    }
}
