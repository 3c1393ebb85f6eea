use pusher_protocol::{ChannelName, SocketId, client_event};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Registry, lock};
use crate::webhook::WebhookEvent;

impl Registry {
    /// Queues a frame for every subscriber except `except`, and returns their number. A cache
    /// channel stores the frame.
    pub(crate) fn publish(&self, name: &ChannelName, frame: &Utf8Bytes, except: Option<&SocketId>) -> usize {
        let mut shard = self.shards.of(name);
        if name.kind().is_cache() {
            if lock(&self.cache).store(name, frame.clone(), Instant::now()) {
                self.cache_needs_a_task.raise();
            }
            if let Some(channel) = shard.channels.get_mut(name) {
                channel.is_miss_reported = false;
            }
        }
        shard.channels.get(name).map_or(0, |channel| channel.publish(frame, except))
    }

    /// Publishes a client event of the connection `sender`, a subscriber, to the other subscribers.
    pub(crate) fn publish_client_event(
        &self,
        sender: &SocketId,
        name: &ChannelName,
        event: &str,
        data: &str,
    ) {
        let shard = self.shards.of(name);
        let Some(channel) = shard.channels.get(name) else { return };
        let user_id = channel.members.as_ref().and_then(|members| members.user_of(sender));
        let user_id = user_id.map(AsRef::as_ref);
        channel.publish(&client_event(event, name.as_str(), data, user_id).into(), Some(sender));
        self.webhooks.notify(|| WebhookEvent::client_event(name, event, data, sender, user_id));
    }

    /// Removes the last events of cache channels that have expired, and returns when to call again,
    /// if ever.
    pub(crate) fn remove_expired_events(&self) -> Option<Instant> {
        lock(&self.cache).remove_expired(Instant::now())
    }
}
