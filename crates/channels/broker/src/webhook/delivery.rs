use std::sync::Arc;
use std::time::Duration;

use pusher_protocol::Backoff;
use pusher_signer::Signer;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use super::queue::{Queue, Size};
use super::{Occurrence, Sender, Webhook};
use crate::broker::Clock;

/// Sends to one destination what waits for it, one webhook after another.
pub(super) struct Delivery {
    pub(super) queue: Arc<Queue>,
    pub(super) send: Arc<Sender>,
    pub(super) signer: Signer,
    pub(super) clock: Clock,
    pub(super) timeout: Duration,
    pub(super) retries: Duration,
}

/// The most that one webhook tells, but for a single event that is bigger.
const BATCH: Size = Size { events: 100, bytes: 128 * 1024 };
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

impl Delivery {
    /// Until the broker is gone.
    pub(super) async fn run(self) {
        while let Some(events) = self.queue.take(BATCH).await {
            let dropped = self.queue.take_dropped();
            if dropped > 0 {
                tracing::warn!(webhook.events = dropped, "webhook events were dropped: the queue was full");
            }
            tokio::select! {
                () = self.deliver(self.webhook(&events)) => {}
                () = self.queue.closed() => return,
            }
        }
    }

    fn webhook(&self, events: &[Occurrence]) -> Webhook {
        #[derive(Serialize)]
        struct Body<'a> {
            time_ms: u64,
            events: &'a [Occurrence],
        }
        let time_ms = u64::try_from((self.clock)().as_millis()).unwrap_or(u64::MAX);
        // Texts and numbers cannot fail to become JSON.
        let body = serde_json::to_string(&Body { time_ms, events }).unwrap_or_default();
        let signature = self.signer.sign(body.as_bytes());
        Webhook { key: self.signer.key().to_owned(), signature, body }
    }

    /// Sends one webhook until it is acknowledged, or given up.
    async fn deliver(&self, webhook: Webhook) {
        let start = Instant::now();
        for attempt in 1_u32.. {
            let why = match timeout(self.timeout, (self.send)(webhook.clone())).await {
                Ok(Ok(())) => return,
                Ok(Err(why)) => why,
                Err(_) => "no answer in time".to_owned(),
            };
            let delay = BACKOFF.limit(attempt);
            if start.elapsed() + delay > self.retries {
                tracing::warn!(error = %why, "a webhook was given up");
                return;
            }
            tracing::debug!(error = %why, "a webhook was not acknowledged");
            sleep(delay).await;
        }
    }
}
