mod authorizations;
mod cache;
mod channel;
mod count_schedule;
mod members;
mod publishing;
mod queries;
mod sockets;
mod subscribing;
mod subscription_counts;
mod users;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pusher_protocol::{ChannelName, SocketId};

use crate::close::Close;
use crate::limits::Limits;
use crate::webhook::Webhooks;
pub(crate) use authorizations::Revoked;
use cache::Cache;
use channel::Channel;
use count_schedule::CountSchedule;
pub(crate) use members::Member;
pub(crate) use queries::ChannelSnapshot;
pub(crate) use sockets::Socket;
pub(crate) use subscribing::SubscribeError;
use users::Users;

/// All connections, their subscriptions and their users.
///
/// There is one lock, and nothing waits while it is held. A publisher holds it until the frame is
/// in the queue of every subscriber, so that all subscribers see the events of a channel in one
/// order.
pub(crate) struct Registry {
    state: Mutex<State>,
    random: Box<dyn Fn() -> u64 + Send + Sync>,
    connection_quota: usize,
    presence_members: usize,
    subscription_counts: bool,
    /// Whether [`State::counts`] has entries that no task sends yet.
    counts_need_a_task: AtomicBool,
    webhooks: Webhooks,
}

#[derive(Debug)]
struct State {
    sockets: BTreeMap<SocketId, Arc<Socket>>,
    channels: HashMap<ChannelName, Channel>,
    cache: Cache,
    users: Users,
    counts: CountSchedule,
    closed: Option<Close>,
}

impl Registry {
    /// Creates an empty registry. `random` makes socket ids.
    pub(crate) fn new(
        limits: &Limits,
        subscription_counts: bool,
        webhooks: Webhooks,
        random: Box<dyn Fn() -> u64 + Send + Sync>,
    ) -> Self {
        let state = State {
            sockets: BTreeMap::new(),
            channels: HashMap::new(),
            cache: Cache::new(limits.cache_time, limits.cached_events),
            users: Users::default(),
            counts: CountSchedule::default(),
            closed: None,
        };
        Self {
            state: Mutex::new(state),
            random,
            connection_quota: limits.connection_quota.unwrap_or(usize::MAX),
            presence_members: limits.presence_members,
            subscription_counts,
            counts_need_a_task: AtomicBool::new(false),
            webhooks,
        }
    }

    /// Closes all connections and rejects further ones.
    pub(crate) fn close(&self, close: Close) {
        let mut state = self.lock();
        state.closed = Some(close);
        state.sockets.values().for_each(|socket| socket.queue.close(close));
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed.is_some()
    }

    pub(crate) fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
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
        registry.disconnect(&socket.id, [&channel()]);
        let state = registry.lock();
        assert!(state.sockets.is_empty() && state.channels.is_empty());
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
