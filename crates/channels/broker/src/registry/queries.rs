use std::time::Duration;

use pusher_protocol::ChannelName;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Registry, lock};

/// The state of a channel at one moment.
#[derive(Debug, Default)]
pub(crate) struct ChannelSnapshot {
    pub(crate) is_occupied: bool,
    pub(crate) user_count: usize,
    pub(crate) subscription_count: usize,
    /// A cache channel's last event, and the time until it expires.
    pub(crate) cached: Option<(Utf8Bytes, Duration)>,
}

impl Registry {
    /// Returns the number of connections.
    pub(crate) fn connections(&self) -> usize {
        lock(&self.sockets).len()
    }

    /// Returns the number of occupied channels.
    pub(crate) fn occupied(&self) -> usize {
        self.shards.each().map(|shard| shard.channels.len()).sum()
    }

    /// Returns the number of stored last events of cache channels.
    #[cfg(test)]
    pub(crate) fn cached_events(&self) -> usize {
        lock(&self.cache).len()
    }

    pub(crate) fn is_occupied(&self, channel: &ChannelName) -> bool {
        self.shards.of(channel).channels.contains_key(channel)
    }

    /// Returns the occupied channels whose names begin with `prefix`, in no order, each with its
    /// number of users.
    pub(crate) fn channels(&self, prefix: &str) -> Vec<(ChannelName, usize)> {
        let mut found = Vec::new();
        for shard in self.shards.each() {
            let channels = shard.channels.iter().filter(|(name, _)| name.as_str().starts_with(prefix));
            found.extend(channels.map(|(name, channel)| (name.clone(), channel.user_count())));
        }
        found
    }

    pub(crate) fn channel(&self, name: &ChannelName) -> ChannelSnapshot {
        let shard = self.shards.of(name);
        let cached = lock(&self.cache).get(name, Instant::now()).map(|(frame, left)| (frame.clone(), left));
        let Some(channel) = shard.channels.get(name) else {
            return ChannelSnapshot { cached, ..ChannelSnapshot::default() };
        };
        ChannelSnapshot {
            is_occupied: true,
            user_count: channel.user_count(),
            subscription_count: channel.subscribers.len(),
            cached,
        }
    }

    /// Returns the ids of a presence channel's users in ascending order.
    pub(crate) fn members(&self, name: &ChannelName) -> Vec<String> {
        let shard = self.shards.of(name);
        let members = shard.channels.get(name).and_then(|channel| channel.members.as_ref());
        members.map(|members| members.ids().map(str::to_owned).collect()).unwrap_or_default()
    }
}
