use pusher_protocol::{ChannelName, ProtocolEvent};
use tokio::time::Instant;

use super::shards::Shard;
use super::{Registry, lock};
use crate::webhook::WebhookEvent;

/// A channel with more subscribers sends its count every five seconds at most (Pusher's
/// "subscription count events").
const LARGE: usize = 100;

impl Registry {
    /// Sends a channel's subscription count if that is enabled: at once, or for a large channel
    /// [later](Self::send_due_counts).
    pub(super) fn count_changed(&self, shard: &Shard, name: &ChannelName) {
        if !self.subscription_counts || name.kind().is_presence() {
            return;
        }
        let is_large = shard.channels.get(name).is_some_and(|channel| channel.subscribers.len() > LARGE);
        let mut counts = lock(&self.counts);
        let no_task_runs = counts.is_empty();
        let is_deferred = counts.defer(name, is_large, Instant::now());
        drop(counts);
        if !is_deferred {
            self.send_count(shard, name);
        } else if no_task_runs {
            self.counts_need_a_task.raise();
        }
    }

    fn send_count(&self, shard: &Shard, name: &ChannelName) {
        let channel = shard.channels.get(name);
        let count = channel.map_or(0, |channel| channel.subscribers.len());
        if let Some(channel) = channel {
            let frame = ProtocolEvent::SubscriptionCount { channel: name, count }.encode().into();
            channel.publish(&frame, None);
        }
        self.webhooks.notify(|| WebhookEvent::subscription_count(name, count));
    }

    /// Sends the counts of large channels that are due, and returns when to call again, if ever.
    pub(crate) fn send_due_counts(&self) -> Option<Instant> {
        let mut counts = lock(&self.counts);
        let (due, next) = (counts.take_due(Instant::now()), counts.next());
        drop(counts);
        due.iter().for_each(|name| self.send_count(&self.shards.of(name), name));
        next
    }
}
