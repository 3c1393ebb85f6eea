use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pusher_protocol::Backoff;
use pusher_signer::Signer;
use tokio::select;
use tokio::time::{Instant, sleep_until, timeout};

use super::batch::Batch;
use super::destination::SendWebhook;
use super::queue::Queue;
use super::retries::Retries;
use super::size::Size;
use super::{WebhookCounters, WebhookError};
use crate::clock::Clock;
use crate::limits::Limits;

/// Sends the queued events of one destination: one new webhook after another, and beside them one
/// after another those that failed.
pub(super) struct Delivery {
    queue: Arc<Queue>,
    send: Arc<SendWebhook>,
    counters: Arc<WebhookCounters>,
    signer: Signer,
    clock: Clock,
    timeout: Duration,
    retry_period: Duration,
    batch_limit: Size,
    retries: Retries,
    /// The number of webhooks that the destination accepted.
    accepted: u64,
}

/// The largest batch in one webhook. A single event may be bigger. Some servers accept 100 kB by
/// default.
const BATCH: Size = Size { events: 100, bytes: 64 * 1024 };
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

type Attempt = Pin<Box<dyn Future<Output = (Batch, Result<(), WebhookError>)> + Send>>;

impl Delivery {
    pub(super) fn new(
        queue: Arc<Queue>,
        send: Arc<SendWebhook>,
        counters: Arc<WebhookCounters>,
        signer: &Signer,
        clock: &Clock,
        limits: &Limits,
    ) -> Self {
        Self {
            queue,
            send,
            counters,
            signer: signer.clone(),
            clock: clock.clone(),
            timeout: limits.webhook_timeout,
            retry_period: limits.webhook_retry_period,
            batch_limit: BATCH,
            retries: Retries::default(),
            accepted: 0,
        }
    }

    /// Sends for ever.
    pub(super) async fn run(mut self) {
        let (mut first, mut again) = (None, None);
        loop {
            let may_send = first.is_none() && !self.retries.is_full(again.is_some());
            let next_retry = self.retries.next_due().filter(|_| again.is_none());
            select! {
                biased;
                (batch, result) = finished(&mut first) => self.finish(batch, result),
                (batch, result) = finished(&mut again) => self.finish(batch, result),
                () = sleep_until_some(next_retry) => {
                    again = self.retries.pop_first().map(|batch| self.attempt(batch));
                }
                events = self.queue.take(self.batch_limit), if may_send => {
                    let batch = Batch::new(events, &self.signer, &self.clock, self.accepted);
                    first = Some(self.attempt(batch));
                }
            }
        }
    }

    fn attempt(&self, mut batch: Batch) -> Attempt {
        if batch.attempts > 0 {
            self.counters.retried.add(1);
        }
        batch.attempts = batch.attempts.saturating_add(1);
        let (send, limit) = (self.send.clone(), self.timeout);
        Box::pin(async move {
            let result = timeout(limit, (send)(batch.webhook.clone())).await;
            (batch, result.unwrap_or_else(|_| Err(WebhookError::new("no response in time"))))
        })
    }

    /// Decides what becomes of a webhook that was accepted or refused.
    fn finish(&mut self, batch: Batch, result: Result<(), WebhookError>) {
        let dropped = self.queue.take_dropped();
        if dropped > 0 {
            tracing::warn!(webhook.events = dropped, "dropped webhook events because the queue was full");
        }
        let Err(error) = result else {
            self.accepted += 1;
            self.counters.sent.add(1);
            return self.queue.settle(&batch.events);
        };
        if error.is_too_large() {
            return self.split(batch, &error);
        }
        let delay = BACKOFF.limit(batch.attempts);
        if batch.start.elapsed() + delay > self.retry_period {
            return self.give_up(&batch, &error);
        }
        tracing::debug!(%error, "a webhook failed and will be sent again");
        self.retries.push(Instant::now() + delay, batch, error);
        if self.retries.is_full(false) {
            let hopeless = self.retries.remove_hopeless(self.accepted);
            hopeless.iter().for_each(|(batch, error)| self.give_up(batch, error));
        }
    }

    /// Makes smaller batches of a batch that the destination refused as too large, and of all
    /// further ones.
    fn split(&mut self, batch: Batch, error: &WebhookError) {
        if batch.events.len() < 2 {
            return self.give_up(&batch, error);
        }
        self.batch_limit.bytes = self.batch_limit.bytes.min(batch.bytes() / 2);
        tracing::debug!(%error, batch.bytes = self.batch_limit.bytes, "webhooks will be smaller");
        self.queue.put_back(batch.events);
    }

    fn give_up(&self, batch: &Batch, error: &WebhookError) {
        let (events, attempts) = (batch.events.len(), batch.attempts);
        self.counters.dropped.add(events);
        tracing::warn!(%error, webhook.events = events, webhook.attempts = attempts, "giving up on a webhook");
        self.queue.settle(&batch.events);
    }
}

/// Waits for an attempt, and removes it when it has finished. Waits for ever if there is none.
async fn finished(attempt: &mut Option<Attempt>) -> (Batch, Result<(), WebhookError>) {
    let Some(running) = attempt else { return pending().await };
    let finished = running.await;
    *attempt = None;
    finished
}

async fn sleep_until_some(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
