use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard};

use pusher_protocol::ChannelName;

use super::channel::Channel;
use super::lock;
use super::socket_set::SocketSet;
use crate::close::Close;

/// Few enough to walk through for a list of all channels, many enough that a busy channel seldom
/// shares its lock with another one.
const SHARDS: usize = 256;

/// All channels, divided among shards. Each shard has its own lock, so that what takes long in one
/// channel delays few others.
///
/// They are B-trees, as all of the broker's maps: a hash table would keep the memory of its peak.
#[derive(Debug)]
pub(super) struct Shards {
    shards: Box<[Mutex<Shard>; SHARDS]>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) channels: BTreeMap<ChannelName, Channel>,
    /// The connections for which an authorization was recorded, by its channel.
    pub(super) authorized: BTreeMap<ChannelName, SocketSet>,
}

impl Shards {
    pub(super) fn new() -> Self {
        Self { shards: Box::new(std::array::from_fn(|_| Mutex::default())), hasher: RandomState::new() }
    }

    /// Locks the shard of a channel.
    #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
    pub(super) fn of(&self, channel: &ChannelName) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(channel) as usize;
        lock(&self.shards[hash % SHARDS])
    }

    /// Locks one shard after another.
    pub(super) fn each(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock)
    }
}

impl Shard {
    /// Revokes all authorizations that were recorded for a channel.
    pub(super) fn revoke(&self, channel: &ChannelName) {
        let sockets = self.authorized.get(channel).into_iter().flat_map(SocketSet::iter);
        sockets.for_each(|socket| socket.authorizations().revoke(channel));
    }

    /// Closes the connections that are subscribed to a channel, and returns their number.
    pub(super) fn close_subscribers(&self, channel: &ChannelName, close: Close) -> usize {
        let subscribers =
            self.channels.get(channel).into_iter().flat_map(|channel| channel.subscribers.iter());
        subscribers.map(|socket| socket.queue.close(close)).count()
    }
}
