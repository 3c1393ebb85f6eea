mod delivery;
mod departures;
mod occurrence;
mod queue;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pusher_signer::Signer;

use crate::broker::Clock;
use crate::limits::Limits;
pub(crate) use occurrence::Occurrence;
use queue::{Queue, Size};

/// One webhook, signed: to be sent as a `POST` with [`headers`](Self::headers) and [`body`](Self::body), byte by byte (Pusher's
/// "webhooks").
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    key: String,
    signature: String,
    body: String,
}

impl Webhook {
    /// The headers that belong to it.
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [
            ("Content-Type", "application/json"),
            ("X-Pusher-Key", &self.key),
            ("X-Pusher-Signature", &self.signature),
        ]
    }

    /// The body, JSON.
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

/// Sends a webhook to its destination: the embedder's HTTP client.
pub(crate) type Sender = Box<dyn Fn(Webhook) -> Sending + Send + Sync>;

/// The destinations of webhooks, and what waits for each.
#[derive(Default)]
pub(crate) struct Hooks {
    destinations: Vec<Destination>,
    are_running: AtomicBool,
}

struct Destination {
    queue: Arc<Queue>,
    send: Arc<Sender>,
}

impl Hooks {
    pub(crate) fn new(destinations: Vec<Sender>, limits: &Limits) -> Self {
        let capacity = Size { events: limits.webhook_queue, bytes: limits.webhook_queue_bytes };
        let destination = |send| Destination {
            queue: Arc::new(Queue::new(capacity, limits.webhook_grace)),
            send: Arc::new(send),
        };
        Self {
            destinations: destinations.into_iter().map(destination).collect(),
            are_running: AtomicBool::new(false),
        }
    }

    /// Tells every destination, in time.
    pub(crate) fn tell(&self, occurrence: impl FnOnce() -> Occurrence) {
        if self.destinations.is_empty() {
            return;
        }
        let occurrence = occurrence();
        self.destinations.iter().for_each(|destination| destination.queue.put(occurrence.clone()));
    }

    /// Starts to send, within a runtime; again does nothing.
    pub(crate) fn run(&self, signer: &Signer, clock: &Clock, limits: &Limits) {
        if self.destinations.is_empty() || self.are_running.swap(true, Ordering::Relaxed) {
            return;
        }
        for Destination { queue, send } in &self.destinations {
            let delivery = delivery::Delivery {
                queue: queue.clone(),
                send: send.clone(),
                signer: signer.clone(),
                clock: clock.clone(),
                timeout: limits.webhook_timeout,
                retries: limits.webhook_retries,
            };
            tokio::spawn(delivery.run());
        }
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        self.destinations.iter().for_each(|destination| destination.queue.close());
    }
}
