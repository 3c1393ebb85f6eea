mod authorizations;
mod cache;
mod channel;
mod count_schedule;
mod flag;
mod members;
mod publishing;
mod queries;
mod shards;
mod socket_set;
mod sockets;
mod subscribing;
mod subscription_counts;
mod users;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::close::Close;
use crate::limits::Limits;
use crate::webhook::Webhooks;
pub(crate) use authorizations::Revoked;
use cache::Cache;
use count_schedule::CountSchedule;
pub(crate) use flag::Flag;
pub(crate) use members::Member;
pub(crate) use queries::ChannelSnapshot;
use shards::Shards;
pub(crate) use sockets::Socket;
use sockets::Sockets;
pub(crate) use subscribing::SubscribeError;
use users::Users;

/// All connections, their subscriptions and their users.
///
/// Nothing waits while it holds a lock. Of the locks for connections, for users and for the shard
/// of a channel, nobody holds two. Beside one of them, others may be taken for a moment: those of
/// the cache, the counts, the webhooks, and of a connection.
///
/// A publisher holds the lock of the channel's shard until the frame is in the queue of every
/// subscriber, so that all subscribers see the events of a channel in one order.
pub(crate) struct Registry {
    sockets: Mutex<Sockets>,
    users: Mutex<Users>,
    shards: Shards,
    cache: Mutex<Cache>,
    counts: Mutex<CountSchedule>,
    random: Box<dyn Fn() -> u64 + Send + Sync>,
    connection_quota: usize,
    presence_members: usize,
    subscription_counts: bool,
    /// Whether subscription counts wait that no task sends yet.
    pub(crate) counts_need_a_task: Flag,
    /// Whether cache channels have events that no task removes when they expire.
    pub(crate) cache_needs_a_task: Flag,
    webhooks: Webhooks,
}

impl Registry {
    /// Creates an empty registry. `random` makes socket ids.
    pub(crate) fn new(
        limits: &Limits,
        subscription_counts: bool,
        webhooks: Webhooks,
        random: Box<dyn Fn() -> u64 + Send + Sync>,
    ) -> Self {
        let cache = Cache::new(limits.cache_time, limits.cached_events, limits.cached_bytes);
        Self {
            sockets: Mutex::default(),
            users: Mutex::default(),
            shards: Shards::new(),
            cache: Mutex::new(cache),
            counts: Mutex::default(),
            random,
            connection_quota: limits.connection_quota.unwrap_or(usize::MAX),
            presence_members: limits.presence_members,
            subscription_counts,
            counts_need_a_task: Flag::default(),
            cache_needs_a_task: Flag::default(),
            webhooks,
        }
    }

    /// Closes all connections and rejects further ones.
    pub(crate) fn close(&self, close: Close) {
        lock(&self.sockets).close(close);
    }

    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.sockets).closed().is_some()
    }

    pub(crate) fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }
}

/// Locks a mutex. What it guards is whole even if somebody panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pusher_protocol::ChannelName;
    use tokio_tungstenite::tungstenite::Utf8Bytes;

    use super::*;
    use crate::send_queue::{Next, SendQueue};

    fn registry() -> Registry {
        Registry::new(&Limits::default(), false, Webhooks::default(), Box::new(rand::random))
    }

    fn channel() -> ChannelName {
        "news".parse().unwrap()
    }

    fn subscriber(registry: &Registry) -> Arc<Socket> {
        let socket = registry.connect(SendQueue::new(8)).unwrap();
        registry.subscribe(&socket, &channel(), None).unwrap();
        assert!(matches!(socket.queue.pop(), Next::Write(_)));
        socket
    }

    #[test]
    fn a_socket_id_has_all_bits_of_its_random_number() {
        let random = Box::new(|| 0x1234_5678_9abc_def0);
        let registry = Registry::new(&Limits::default(), false, Webhooks::default(), random);
        let socket = registry.connect(SendQueue::new(8)).unwrap();
        assert_eq!(socket.id.as_str(), format!("{}.{}", 0x1234_5678, 0x9abc_def0_u32));
    }

    #[test]
    fn all_subscribers_share_one_encoded_event() {
        let registry = registry();
        let sockets: Vec<_> = (0..3).map(|_| subscriber(&registry)).collect();
        let frame = Utf8Bytes::from("event".to_owned());
        assert_eq!(registry.publish(&channel(), &frame, None), 3);
        for socket in sockets {
            let Next::Write(received) = socket.queue.pop() else { panic!("no event") };
            assert_eq!(received.as_str().as_ptr(), frame.as_str().as_ptr());
        }
    }

    #[test]
    fn the_excepted_socket_gets_nothing() {
        let registry = registry();
        let (sender, other) = (subscriber(&registry), subscriber(&registry));
        assert_eq!(registry.publish(&channel(), &"event".into(), Some(&sender.id)), 1);
        assert_eq!(sender.queue.pop(), Next::Nothing);
        assert_eq!(other.queue.pop(), Next::Write("event".into()));
    }

    #[test]
    fn a_disconnect_leaves_nothing_behind() {
        let registry = registry();
        let socket = subscriber(&registry);
        for name in [channel(), "private-a".parse().unwrap()] {
            registry.record_authorization(&socket.id, &name, None);
        }
        registry.disconnect(&socket, [&channel()]);
        registry.record_authorization(&socket.id, &channel(), None);
        let is_empty = |shard: &shards::Shard| shard.channels.is_empty() && shard.authorized.is_empty();
        assert!(lock(&registry.sockets).is_empty());
        assert!(registry.shards.each().all(|shard| is_empty(&shard)));
    }

    #[test]
    fn all_subscribers_see_concurrent_publishers_in_one_order() {
        let registry = registry();
        let sockets: Vec<_> = (0..2)
            .map(|_| {
                let socket = registry.connect(SendQueue::new(2_000)).unwrap();
                registry.subscribe(&socket, &channel(), None).unwrap();
                socket
            })
            .collect();
        std::thread::scope(|threads| {
            for publisher in 0..2 {
                let registry = &registry;
                threads.spawn(move || {
                    for n in 0..500 {
                        registry.publish(&channel(), &format!("{publisher}/{n}").into(), None);
                    }
                });
            }
        });
        let seen: Vec<Vec<Next>> = sockets
            .iter()
            .map(|socket| std::iter::repeat_with(|| socket.queue.pop()).take(1_001).collect())
            .collect();
        assert_eq!(seen[0], seen[1]);
    }
}
