use std::collections::BTreeMap;

use tokio::time::Instant;

use super::WebhookError;
use super::batch::Batch;

/// The webhooks that failed and wait to be sent again, by when, each with its last error.
#[derive(Default)]
pub(super) struct Retries {
    waiting: BTreeMap<(Instant, u64), (Batch, WebhookError)>,
    last: u64,
}

/// How many webhooks may have failed, counting one that is being sent again, before nothing new is
/// sent.
const CAPACITY: usize = 16;
/// The attempts after which a webhook may be given up early.
const PATIENCE: u32 = 5;

impl Retries {
    pub(super) fn push(&mut self, due: Instant, batch: Batch, error: WebhookError) {
        self.last += 1;
        self.waiting.insert((due, self.last), (batch, error));
    }

    /// Returns whether there are as many as there may be, beside one that is being sent again if
    /// `is_running`.
    pub(super) fn is_full(&self, is_running: bool) -> bool {
        self.waiting.len() + usize::from(is_running) >= CAPACITY
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    pub(super) fn pop_first(&mut self) -> Option<Batch> {
        self.waiting.pop_first().map(|(_, (batch, _))| batch)
    }

    /// Removes a webhook that the destination keeps refusing while it accepts others. `accepted` is
    /// how many it has accepted so far.
    pub(super) fn remove_hopeless(&mut self, accepted: u64) -> Option<(Batch, WebhookError)> {
        let is_hopeless = |batch: &Batch| batch.attempts >= PATIENCE && accepted > batch.accepted_before;
        let key = *self.waiting.iter().find(|(_, (batch, _))| is_hopeless(batch))?.0;
        self.waiting.remove(&key)
    }
}
