mod authorizations;
mod cache;
mod channel;
mod counts;
mod members;
mod users;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pusher_protocol::{ChannelName, CloseCode, ProtocolEvent, SocketId, client_event};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::limits::Limits;
use crate::mailbox::{Ending, Mailbox};
use crate::webhook::{Hooks, Occurrence};
use authorizations::Authorizations;
pub(crate) use authorizations::Revoked;
use cache::Cache;
use channel::Channel;
use counts::Counts;
pub(crate) use members::{Member, Members};
use users::Users;

/// One established connection, as the rest of the broker sees it.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) id: SocketId,
    pub(crate) mailbox: Mailbox,
    authorizations: Mutex<Authorizations>,
}

impl Socket {
    fn new(id: SocketId, mailbox: Mailbox) -> Self {
        Self { id, mailbox, authorizations: Mutex::default() }
    }

    /// Until when what it was given for a channel is good, if it ends.
    ///
    /// # Errors
    /// [`Revoked`].
    pub(crate) fn authorized_until(&self, channel: &ChannelName) -> Result<Option<Instant>, Revoked> {
        self.authorizations().until(channel)
    }

    fn authorizations(&self) -> MutexGuard<'_, Authorizations> {
        self.authorizations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who is connected, and who is subscribed to what. One lock: whoever publishes holds it until every subscriber's queue has
/// the frame, so that all of them see the events of a channel in one order. Nothing waits under it.
pub(crate) struct Registry {
    state: Mutex<State>,
    random: Box<dyn Fn() -> u64 + Send + Sync>,
    connection_quota: usize,
    presence_members: usize,
    tells_counts: bool,
    /// Whether there are [`State::counts`] to tell later, and nobody will yet.
    counts_wait: AtomicBool,
    hooks: Hooks,
}

#[derive(Debug)]
struct State {
    sockets: BTreeMap<SocketId, Arc<Socket>>,
    channels: HashMap<ChannelName, Channel>,
    cache: Cache,
    users: Users,
    counts: Counts,
    closed: Option<Ending>,
}

/// Why a subscription did not come about.
#[derive(Debug)]
pub(crate) enum NotSubscribed {
    /// A presence channel has as many users as it may.
    Full,
    Revoked(Revoked),
}

/// What is known of a channel.
#[derive(Debug, Default)]
pub(crate) struct Description {
    pub(crate) is_occupied: bool,
    pub(crate) user_count: usize,
    pub(crate) subscription_count: usize,
    /// The last event of a cache channel, and how long it will be kept.
    pub(crate) cached: Option<(Utf8Bytes, Duration)>,
}

/// Above so many subscribers the count is told every five seconds at most (Pusher's "subscription count events").
const BIG: usize = 100;

impl Registry {
    /// Nobody is connected. `random` makes socket ids.
    pub(crate) fn new(
        limits: &Limits,
        tells_counts: bool,
        hooks: Hooks,
        random: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let state = State {
            sockets: BTreeMap::new(),
            channels: HashMap::new(),
            cache: Cache::new(limits.cache_time, limits.cached_events),
            users: Users::default(),
            counts: Counts::default(),
            closed: None,
        };
        Self {
            state: Mutex::new(state),
            random: Box::new(random),
            connection_quota: limits.connection_quota.unwrap_or(usize::MAX),
            presence_members: limits.presence_members,
            tells_counts,
            counts_wait: AtomicBool::new(false),
            hooks,
        }
    }

    /// Makes a connection with an id that no other has.
    ///
    /// # Errors
    /// The ending that [`close`](Self::close) set, or that there is no quota for another one.
    pub(crate) fn connect(&self, mailbox: Mailbox) -> Result<Arc<Socket>, Ending> {
        let mut state = self.lock();
        if let Some(ending) = state.closed {
            return Err(ending);
        }
        if state.sockets.len() >= self.connection_quota {
            return Err(OVER_QUOTA);
        }
        let id = loop {
            let random = (self.random)();
            let id = SocketId::from_parts((random >> 32) as u32, random as u32);
            if !state.sockets.contains_key(&id) {
                break id;
            }
        };
        let socket = Arc::new(Socket::new(id.clone(), mailbox));
        state.sockets.insert(id, socket.clone());
        Ok(socket)
    }

    /// Forgets a connection, its user and its subscriptions.
    pub(crate) fn disconnect<'c>(&self, id: &SocketId, channels: impl IntoIterator<Item = &'c ChannelName>) {
        let mut state = self.lock();
        state.sockets.remove(id);
        state.users.sign_out(id);
        for channel in channels {
            self.leave(&mut state, id, channel);
        }
    }

    /// Subscribes a connection, to a presence channel as `member`. Its confirmation, and the last event of a cache channel, come
    /// before any other event of the channel. Tells when its authorization ends, if it does.
    ///
    /// # Errors
    /// [`NotSubscribed`].
    pub(crate) fn subscribe(
        &self,
        socket: &Arc<Socket>,
        name: &ChannelName,
        member: Option<&Member>,
    ) -> Result<Option<Instant>, NotSubscribed> {
        let mut state = self.lock();
        let until = socket.authorized_until(name).map_err(NotSubscribed::Revoked)?;
        let State { channels, cache, .. } = &mut *state;
        if let (Some(member), Some(members)) = (member, channels.get(name).and_then(|c| c.members.as_ref())) {
            if members.count() >= self.presence_members && !members.has(&member.user_id) {
                return Err(NotSubscribed::Full);
            }
        }
        let channel = channels.entry(name.clone()).or_default();
        if channel.subscribers.is_empty() {
            self.hooks.tell(|| Occurrence::occupied(name));
        }
        match member {
            None => {
                socket.mailbox.put(ProtocolEvent::SubscriptionSucceeded { channel: name }.encode().into())
            }
            Some(member) => {
                let members = channel.members.get_or_insert_default();
                let is_first = members.join(&socket.id, member);
                socket.mailbox.put(members.confirmation(name).into());
                if is_first {
                    let Member { user_id, user_info } = member;
                    let added = ProtocolEvent::MemberAdded {
                        channel: name,
                        user_id,
                        user_info: user_info.as_deref(),
                    };
                    channel.publish(&added.encode().into(), None);
                    self.hooks.tell(|| Occurrence::member_added(name, user_id));
                }
            }
        }
        if name.kind().is_cache() {
            if let Some((last, _)) = cache.get(name, Instant::now()) {
                socket.mailbox.put(last.clone());
            } else {
                socket.mailbox.put(ProtocolEvent::CacheMiss { channel: name }.encode().into());
                if !std::mem::replace(&mut channel.is_miss_told, true) {
                    self.hooks.tell(|| Occurrence::cache_miss(name));
                }
            }
        }
        channel.subscribers.insert(socket.id.clone(), socket.clone());
        self.count_changed(&mut state, name);
        Ok(until)
    }

    pub(crate) fn unsubscribe(&self, id: &SocketId, channel: &ChannelName) {
        self.leave(&mut self.lock(), id, channel);
    }

    fn leave(&self, state: &mut State, id: &SocketId, name: &ChannelName) {
        let Some(channel) = state.channels.get_mut(name) else { return };
        if channel.subscribers.remove(id).is_none() {
            return;
        }
        if let Some(user_id) = channel.members.as_mut().and_then(|members| members.leave(id)) {
            let removed = ProtocolEvent::MemberRemoved { channel: name, user_id: &user_id };
            channel.publish(&removed.encode().into(), None);
            self.hooks.tell(|| Occurrence::member_removed(name, &user_id));
        }
        if channel.subscribers.is_empty() {
            state.channels.remove(name);
            self.hooks.tell(|| Occurrence::vacated(name));
        }
        self.count_changed(state, name);
    }

    /// Tells the subscribers how many they are, where that is wanted: at once, or of a big channel [later](Self::tell_counts).
    fn count_changed(&self, state: &mut State, name: &ChannelName) {
        if !self.tells_counts || name.kind().is_presence() {
            return;
        }
        let is_big = state.channels.get(name).is_some_and(|channel| channel.subscribers.len() > BIG);
        let nobody_tells_later = state.counts.is_empty();
        if !state.counts.put_off(name, is_big, Instant::now()) {
            self.tell_count(state, name);
        } else if nobody_tells_later {
            self.counts_wait.store(true, Ordering::Relaxed);
        }
    }

    fn tell_count(&self, state: &State, name: &ChannelName) {
        let channel = state.channels.get(name);
        let count = channel.map_or(0, |channel| channel.subscribers.len());
        if let Some(channel) = channel {
            let frame = ProtocolEvent::SubscriptionCount { channel: name, count }.encode().into();
            channel.publish(&frame, None);
        }
        self.hooks.tell(|| Occurrence::subscription_count(name, count));
    }

    /// Whether [`tell_counts`](Self::tell_counts) has to be called, until it gives no time any more; said once.
    pub(crate) fn counts_wait(&self) -> bool {
        self.counts_wait.load(Ordering::Relaxed) && self.counts_wait.swap(false, Ordering::Relaxed)
    }

    /// Tells the counts of big channels that changed, as far as they are due, and when to do so next.
    pub(crate) fn tell_counts(&self) -> Option<Instant> {
        let mut state = self.lock();
        for name in state.counts.due(Instant::now()) {
            self.tell_count(&state, &name);
        }
        state.counts.next()
    }

    pub(crate) fn is_occupied(&self, channel: &ChannelName) -> bool {
        self.lock().channels.contains_key(channel)
    }

    /// Puts one frame into the queue of every subscriber but `except`, and tells how many that were. A cache channel keeps it.
    pub(crate) fn publish(&self, name: &ChannelName, frame: &Utf8Bytes, except: Option<&SocketId>) -> usize {
        let mut state = self.lock();
        let State { channels, cache, .. } = &mut *state;
        if name.kind().is_cache() {
            cache.store(name, frame.clone(), Instant::now());
            if let Some(channel) = channels.get_mut(name) {
                channel.is_miss_told = false;
            }
        }
        channels.get(name).map_or(0, |channel| channel.publish(frame, except))
    }

    /// Publishes what the connection `sender`, a subscriber, sent to the others.
    pub(crate) fn publish_from(&self, sender: &SocketId, name: &ChannelName, event: &str, data: &str) {
        let state = self.lock();
        let Some(channel) = state.channels.get(name) else { return };
        let user_id = channel.members.as_ref().and_then(|members| members.user_of(sender));
        let user_id = user_id.map(AsRef::as_ref);
        channel.publish(&client_event(event, name.as_str(), data, user_id).into(), Some(sender));
        self.hooks.tell(|| Occurrence::client_event(name, event, data, sender, user_id));
    }

    /// Makes a connection a user's, whose channel `own` is. Tells when the authorization ends, if it does.
    ///
    /// # Errors
    /// [`Revoked`].
    pub(crate) fn sign_in(
        &self,
        socket: &Arc<Socket>,
        own: &ChannelName,
        user_id: Arc<str>,
        watchlist: BTreeSet<Arc<str>>,
        success: Utf8Bytes,
    ) -> Result<Option<Instant>, Revoked> {
        let mut state = self.lock();
        let until = socket.authorized_until(own)?;
        state.users.sign_in(socket, user_id, watchlist, success);
        Ok(until)
    }

    /// Ends the connections of a signed-in user, and tells how many that were. What was signed for others to sign in as it is good no more.
    pub(crate) fn end_user(&self, user_id: &str, ending: Ending) -> usize {
        let state = self.lock();
        if let Ok(own) = ChannelName::of_user(user_id) {
            state.revoke(&own);
        }
        state.users.end(user_id, ending)
    }

    /// Ends the connections that are subscribed to a channel, and tells how many that were. What was signed for others to subscribe to it is
    /// good no more.
    pub(crate) fn end_subscribers(&self, channel: &ChannelName, ending: Ending) -> usize {
        let state = self.lock();
        state.revoke(channel);
        let subscribers = state.channels.get(channel).map(|channel| channel.subscribers.values());
        subscribers.into_iter().flatten().map(|socket| socket.mailbox.end(ending)).count()
    }

    /// Notes that a connection was given a signature of a channel, good until then if it ends.
    pub(crate) fn authorize(&self, id: &SocketId, channel: &ChannelName, until: Option<Instant>) {
        if let Some(socket) = self.lock().sockets.get(id) {
            socket.authorizations().give(channel, until);
        }
    }

    /// The occupied channels whose names begin so, in their order, and how many users each has.
    pub(crate) fn channels(&self, prefix: &str) -> BTreeMap<String, usize> {
        let state = self.lock();
        let channels = state.channels.iter().filter(|(name, _)| name.as_str().starts_with(prefix));
        channels.map(|(name, channel)| (name.to_string(), channel.user_count())).collect()
    }

    pub(crate) fn describe(&self, name: &ChannelName) -> Description {
        let state = self.lock();
        let cached = state.cache.get(name, Instant::now()).map(|(frame, left)| (frame.clone(), left));
        let Some(channel) = state.channels.get(name) else {
            return Description { cached, ..Description::default() };
        };
        Description {
            is_occupied: true,
            user_count: channel.user_count(),
            subscription_count: channel.subscribers.len(),
            cached,
        }
    }

    /// The ids of a presence channel's users, in their order.
    pub(crate) fn members(&self, name: &ChannelName) -> Vec<String> {
        let state = self.lock();
        let members = state.channels.get(name).and_then(|channel| channel.members.as_ref());
        members.map(|members| members.ids().map(str::to_owned).collect()).unwrap_or_default()
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.hooks
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
    fn revoke(&self, channel: &ChannelName) {
        self.sockets.values().for_each(|socket| socket.authorizations().revoke(channel));
    }
}

const OVER_QUOTA: Ending = Ending::new(CloseCode::CONNECTION_QUOTA, "Application is over connection quota");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Next;

    fn registry() -> Registry {
        Registry::new(&Limits::default(), false, Hooks::default(), rand::random)
    }

    fn channel() -> ChannelName {
        "news".parse().unwrap()
    }

    fn subscriber(registry: &Registry) -> Arc<Socket> {
        let socket = registry.connect(Mailbox::new(8)).unwrap();
        registry.subscribe(&socket, &channel(), None).unwrap();
        assert!(matches!(socket.mailbox.next(), Next::Write(_)));
        socket
    }

    #[test]
    fn all_subscribers_share_one_encoded_event() {
        let registry = registry();
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
        let registry = registry();
        let (sender, other) = (subscriber(&registry), subscriber(&registry));
        assert_eq!(registry.publish(&channel(), &"event".into(), Some(&sender.id)), 1);
        assert_eq!(sender.mailbox.next(), Next::Nothing);
        assert_eq!(other.mailbox.next(), Next::Write("event".into()));
    }

    #[test]
    fn nothing_is_left_of_a_connection_that_ended() {
        let registry = registry();
        let socket = subscriber(&registry);
        registry.disconnect(&socket.id, [&channel()]);
        let state = registry.lock();
        assert!(state.sockets.is_empty() && state.channels.is_empty());
    }

    #[test]
    fn concurrent_publishers_are_seen_in_one_order_by_all() {
        let registry = registry();
        let sockets: Vec<_> = (0..2)
            .map(|_| {
                let socket = registry.connect(Mailbox::new(2_000)).unwrap();
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
            .map(|socket| std::iter::repeat_with(|| socket.mailbox.next()).take(1_001).collect())
            .collect();
        assert_eq!(seen[0], seen[1]);
    }
}
