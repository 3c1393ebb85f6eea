use std::sync::Arc;
use std::time::Duration;

use pusher_protocol::Backoff;
use pusher_signer::Signer;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use super::queue::{Queue, Size};
use super::{SendWebhook, Webhook, WebhookCounters, WebhookEvent};
use crate::clock::Clock;

/// Sends the queued events of one destination, one webhook after another.
pub(super) struct Delivery {
    pub(super) queue: Arc<Queue>,
    pub(super) send: Arc<SendWebhook>,
    pub(super) counters: Arc<WebhookCounters>,
    pub(super) signer: Signer,
    pub(super) clock: Clock,
    pub(super) timeout: Duration,
    pub(super) retry_period: Duration,
}

/// The largest batch in one webhook. A single event may be bigger.
const BATCH: Size = Size { events: 100, bytes: 128 * 1024 };
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

impl Delivery {
    /// Runs until the broker is dropped.
    pub(super) async fn run(self) {
        while let Some(events) = self.queue.take(BATCH).await {
            let dropped = self.queue.take_dropped();
            if dropped > 0 {
                tracing::warn!(webhook.events = dropped, "dropped webhook events because the queue was full");
            }
            tokio::select! {
                () = self.deliver(self.webhook(&events), events.len()) => {}
                () = self.queue.closed() => return,
            }
        }
    }

    fn webhook(&self, events: &[WebhookEvent]) -> Webhook {
        #[derive(Serialize)]
        struct Body<'a> {
            time_ms: u64,
            events: &'a [WebhookEvent],
        }
        let time_ms = u64::try_from((self.clock)().as_millis()).unwrap_or(u64::MAX);
        // Serializing strings and numbers cannot fail.
        let body = serde_json::to_string(&Body { time_ms, events }).unwrap_or_default();
        let signature = self.signer.sign(body.as_bytes());
        Webhook { key: self.signer.key().to_owned(), signature, body }
    }

    /// Sends one webhook until it is acknowledged or the retry period is over.
    async fn deliver(&self, webhook: Webhook, events: usize) {
        let start = Instant::now();
        for attempt in 1_u32.. {
            let error = match timeout(self.timeout, (self.send)(webhook.clone())).await {
                Ok(Ok(())) => return self.counters.count_sent(),
                Ok(Err(error)) => error,
                Err(_) => "no response in time".to_owned(),
            };
            let delay = BACKOFF.limit(attempt);
            if start.elapsed() + delay > self.retry_period {
                self.counters.count_dropped(events);
                tracing::warn!(error, "giving up on a webhook");
                return;
            }
            tracing::debug!(error, "a webhook failed and will be sent again");
            sleep(delay).await;
            self.counters.count_retried();
        }
    }
}
