use pusher_signer::Signer;
use serde::Serialize;
use tokio::time::Instant;

use super::{Webhook, WebhookEvent};
use crate::clock::Clock;

/// The events of one webhook on its way.
pub(super) struct Batch {
    pub(super) events: Vec<WebhookEvent>,
    pub(super) webhook: Webhook,
    pub(super) attempts: u32,
    /// When it was sent first.
    pub(super) start: Instant,
    /// How many webhooks the destination had accepted then.
    pub(super) accepted_before: u64,
}

impl Batch {
    pub(super) fn new(
        events: Vec<WebhookEvent>,
        signer: &Signer,
        clock: &Clock,
        accepted_before: u64,
    ) -> Self {
        let webhook = sign(&events, signer, clock);
        Self { events, webhook, attempts: 0, start: Instant::now(), accepted_before }
    }

    /// Returns an upper bound of the events' size as JSON.
    pub(super) fn bytes(&self) -> usize {
        self.events.iter().map(WebhookEvent::bytes).sum()
    }
}

fn sign(events: &[WebhookEvent], signer: &Signer, clock: &Clock) -> Webhook {
    #[derive(Serialize)]
    struct Body<'a> {
        time_ms: u64,
        events: &'a [WebhookEvent],
    }
    let time_ms = u64::try_from(clock().as_millis()).unwrap_or(u64::MAX);
    // Serializing strings and numbers cannot fail.
    let body = serde_json::to_string(&Body { time_ms, events }).unwrap_or_default();
    Webhook { headers: signer.sign_webhook(body.as_bytes()), body }
}
