use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pusher_protocol::{ChannelName, SocketId};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::mailbox::{Ending, Mailbox};

/// One established connection, as the rest of the broker sees it.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) id: SocketId,
    pub(crate) mailbox: Mailbox,
}

/// Who is connected, and who is subscribed to what. One lock: whoever publishes holds it until every subscriber's queue has
/// the frame, so that all of them see the events of a channel in one order. Nothing waits under it.
pub(crate) struct Registry {
    state: Mutex<State>,
    random: Box<dyn Fn() -> u64 + Send + Sync>,
}

#[derive(Debug, Default)]
struct State {
    sockets: BTreeMap<SocketId, Arc<Socket>>,
    channels: HashMap<ChannelName, BTreeMap<SocketId, Arc<Socket>>>,
    closed: Option<Ending>,
}

impl Registry {
    /// Nobody is connected. `random` makes socket ids.
    pub(crate) fn new(random: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { state: Mutex::default(), random: Box::new(random) }
    }

    /// Makes a connection with an id that no other has.
    ///
    /// # Errors
    /// The ending that [`close`](Self::close) set.
    pub(crate) fn connect(&self, mailbox: Mailbox) -> Result<Arc<Socket>, Ending> {
        let mut state = self.lock();
        if let Some(ending) = state.closed {
            return Err(ending);
        }
        let id = loop {
            let random = (self.random)();
            let id = SocketId::from_parts((random >> 32) as u32, random as u32);
            if !state.sockets.contains_key(&id) {
                break id;
            }
        };
        let socket = Arc::new(Socket { id: id.clone(), mailbox });
        state.sockets.insert(id, socket.clone());
        Ok(socket)
    }

    /// Forgets a connection and its subscriptions.
    pub(crate) fn disconnect<'c>(&self, id: &SocketId, channels: impl IntoIterator<Item = &'c ChannelName>) {
        let mut state = self.lock();
        state.sockets.remove(id);
        for channel in channels {
            state.unsubscribe(id, channel);
        }
    }

    /// Subscribes a connection; `confirmation` comes before any event of the channel.
    pub(crate) fn subscribe(&self, socket: &Arc<Socket>, channel: &ChannelName, confirmation: Utf8Bytes) {
        let mut state = self.lock();
        socket.mailbox.put(confirmation);
        state.channels.entry(channel.clone()).or_default().insert(socket.id.clone(), socket.clone());
    }

    pub(crate) fn unsubscribe(&self, id: &SocketId, channel: &ChannelName) {
        self.lock().unsubscribe(id, channel);
    }

    pub(crate) fn is_occupied(&self, channel: &ChannelName) -> bool {
        self.lock().channels.contains_key(channel)
    }

    /// Puts one frame into the queue of every subscriber but `except`, and tells how many that were.
    pub(crate) fn publish(
        &self,
        channel: &ChannelName,
        frame: &Utf8Bytes,
        except: Option<&SocketId>,
    ) -> usize {
        let state = self.lock();
        let subscribers = state.channels.get(channel).into_iter().flatten();
        subscribers
            .filter(|(id, _)| Some(*id) != except)
            .map(|(_, socket)| socket.mailbox.put(frame.clone()))
            .count()
    }

    pub(crate) fn connections(&self) -> usize {
        self.lock().sockets.len()
    }

    /// Ends every connection, and refuses further ones.
    pub(crate) fn close(&self, ending: Ending) {
        let mut state = self.lock();
        state.closed = Some(ending);
        state.sockets.values().for_each(|socket| socket.mailbox.end(ending));
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn unsubscribe(&mut self, id: &SocketId, channel: &ChannelName) {
        let Some(subscribers) = self.channels.get_mut(channel) else { return };
        subscribers.remove(id);
        if subscribers.is_empty() {
            self.channels.remove(channel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Next;

    fn channel() -> ChannelName {
        "news".parse().unwrap()
    }

    fn subscriber(registry: &Registry) -> Arc<Socket> {
        let socket = registry.connect(Mailbox::new(8)).unwrap();
        registry.subscribe(&socket, &channel(), "confirmed".into());
        assert_eq!(socket.mailbox.next(), Next::Write("confirmed".into()));
        socket
    }

    #[test]
    fn all_subscribers_share_one_encoded_event() {
        let registry = Registry::new(rand::random);
        let sockets: Vec<_> = (0..3).map(|_| subscriber(&registry)).collect();
        let frame = Utf8Bytes::from("event".to_owned());
        assert_eq!(registry.publish(&channel(), &frame, None), 3);
        for socket in sockets {
            let Next::Write(received) = socket.mailbox.next() else { panic!("no event") };
            assert_eq!(received.as_str().as_ptr(), frame.as_str().as_ptr());
        }
    }

    #[test]
    fn the_excepted_socket_gets_nothing() {
        let registry = Registry::new(rand::random);
        let (sender, other) = (subscriber(&registry), subscriber(&registry));
        assert_eq!(registry.publish(&channel(), &"event".into(), Some(&sender.id)), 1);
        assert_eq!(sender.mailbox.next(), Next::Nothing);
        assert_eq!(other.mailbox.next(), Next::Write("event".into()));
    }

    #[test]
    fn nothing_is_left_of_a_connection_that_ended() {
        let registry = Registry::new(rand::random);
        let socket = subscriber(&registry);
        registry.disconnect(&socket.id, [&channel()]);
        let state = registry.lock();
        assert!(state.sockets.is_empty() && state.channels.is_empty());
    }

    #[test]
    fn concurrent_publishers_are_seen_in_one_order_by_all() {
        let registry = Registry::new(rand::random);
        let sockets: Vec<_> = (0..2)
            .map(|_| {
                let socket = registry.connect(Mailbox::new(2_000)).unwrap();
                registry.subscribe(&socket, &channel(), "confirmed".into());
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
            .map(|socket| std::iter::repeat_with(|| socket.mailbox.next()).take(1_001).collect())
            .collect();
        assert_eq!(seen[0], seen[1]);
    }
}
