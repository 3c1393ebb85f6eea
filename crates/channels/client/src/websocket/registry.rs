mod decryptor;
mod entry;

use std::collections::{BTreeMap, BTreeSet};

use pusher_protocol::{ChannelName, Frame, Members, PresenceMember};
use pusher_signer::encrypted::SharedSecret;
use tokio::time::Instant;

pub(crate) use entry::{Delivered, key_from};

use self::decryptor::Decryptor;
use self::entry::Entry;
use super::connection::Ticket;
use super::subscription::Subscriber;
use super::{ChannelEvent, Event};
use crate::Error;

/// The channels with subscribers, and the phase of each subscription. Ordered, so that simulations
/// are repeatable.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    channels: BTreeMap<ChannelName, Entry>,
    timers: BTreeSet<(Instant, ChannelName)>,
}

/// The phase of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// There is no connection.
    Idle,
    /// The authorizer was called.
    Authorizing(Ticket),
    /// The authorization has no user; it waits for the sign-in.
    AwaitingUser(Ticket),
    /// The request was sent; the server must confirm it before the deadline.
    Requested,
    /// The server confirmed it.
    Subscribed,
    /// It failed temporarily, and starts again at the deadline.
    Waiting,
}

impl Registry {
    /// Adds a subscriber, and returns whether the channel is new.
    pub(crate) fn join(&mut self, channel: ChannelName, subscriber: Subscriber) -> bool {
        let mut new = false;
        let entry = self.channels.entry(channel).or_insert_with_key(|channel| {
            new = true;
            Entry::new(channel)
        });
        entry.join(subscriber);
        new
    }

    /// Ends a channel for all its subscribers. The next [`remove_unused`](Self::remove_unused)
    /// unsubscribes it.
    pub(crate) fn leave(&mut self, channel: &ChannelName) {
        if let Some(entry) = self.channels.get_mut(channel) {
            entry.subscribers.clear();
        }
    }

    /// Removes dropped subscribers and channels without subscribers. Returns the channels to
    /// unsubscribe from. A channel with a pending request stays until the server answers: it
    /// ignores an earlier unsubscribe.
    pub(crate) fn remove_unused(&mut self) -> Vec<ChannelName> {
        let mut unsubscribe = Vec::new();
        let mut unused = Vec::new();
        for (channel, entry) in &mut self.channels {
            entry.subscribers.retain(|subscriber| !subscriber.events.is_closed());
            if entry.subscribers.is_empty() && entry.phase != Phase::Requested {
                if entry.phase == Phase::Subscribed {
                    unsubscribe.push(channel.clone());
                }
                unused.push(channel.clone());
            }
        }
        for channel in &unused {
            self.remove(channel);
        }
        unsubscribe
    }

    /// Handles a confirmed subscription. Returns whether it still has subscribers; if not, it is
    /// removed.
    pub(crate) fn confirm(&mut self, channel: &ChannelName, members: Members) -> bool {
        let Some(entry) = self.channels.get_mut(channel) else { return false };
        if entry.subscribers.is_empty() {
            self.remove(channel);
            return false;
        }
        // The client requests an encrypted channel only with a key. A confirmation without one
        // answers no request.
        if entry.name.kind().is_encrypted() && entry.decryptor.is_none() {
            return true;
        }
        if entry.phase != Phase::Subscribed {
            entry.confirm(members);
            self.set(channel, Phase::Subscribed, None);
        }
        true
    }

    /// Sets the user that a presence channel is subscribed as.
    pub(crate) fn set_me(&mut self, channel: &ChannelName, user_id: &str) {
        if let Some(entry) = self.channels.get_mut(channel) {
            entry.me = Some(user_id.into());
        }
    }

    /// Sets the key of an encrypted channel. At most `capacity` events wait for a new one.
    pub(crate) fn set_key(&mut self, channel: &ChannelName, key: SharedSecret, capacity: usize) {
        if let Some(entry) = self.channels.get_mut(channel) {
            entry.decryptor = Some(Box::new(Decryptor::new(key, capacity)));
        }
    }

    /// Records a request for a new key.
    pub(crate) fn await_key(&mut self, channel: &ChannelName, ticket: Ticket) {
        let decryptor = self.subscribed_mut(channel.as_str()).and_then(|entry| entry.decryptor.as_mut());
        if let Some(decryptor) = decryptor {
            decryptor.pending_renewal = Some(ticket);
        }
    }

    /// Handles the answer to a request for a new key. Returns the events that were decrypted with
    /// it.
    pub(crate) fn renew_key(
        &mut self,
        ticket: Ticket,
        channel: &ChannelName,
        key: Result<SharedSecret, Error>,
    ) -> Vec<Event> {
        self.subscribed_mut(channel.as_str()).map_or_else(Vec::new, |entry| entry.renew_key(ticket, key))
    }

    pub(crate) fn deliver(&mut self, channel: &str, frame: Frame<'_>) -> Delivered {
        self.subscribed_mut(channel).map_or(Delivered::Nothing, |entry| entry.deliver(frame))
    }

    pub(crate) fn member_added(&mut self, channel: &str, member: PresenceMember) {
        if let Some(entry) = self.subscribed_mut(channel) {
            entry.member_added(member);
        }
    }

    pub(crate) fn member_removed(&mut self, channel: &str, member: &PresenceMember) {
        if let Some(entry) = self.subscribed_mut(channel) {
            entry.member_removed(member);
        }
    }

    pub(crate) fn subscription_count(&mut self, channel: &str, count: u64) {
        if let Some(entry) = self.subscribed_mut(channel) {
            entry.subscription_count(count);
        }
    }

    pub(crate) fn cache_miss(&mut self, channel: &str) {
        if let Some(entry) = self.subscribed_mut(channel) {
            entry.send(&ChannelEvent::CacheMiss);
        }
    }

    fn subscribed_mut(&mut self, channel: &str) -> Option<&mut Entry> {
        self.channels.get_mut(channel).filter(|entry| entry.phase == Phase::Subscribed)
    }

    /// Ends a subscription with an error.
    pub(crate) fn refuse(&mut self, channel: &ChannelName, error: &Error) {
        if let Some(entry) = self.channels.get(channel) {
            entry.refuse(error);
        }
        self.remove(channel);
    }

    /// Ends all subscriptions with an error.
    pub(crate) fn refuse_all(&mut self, error: &Error) {
        for entry in self.channels.values() {
            entry.refuse(error);
        }
        *self = Self::default();
    }

    /// Handles the end of the connection.
    pub(crate) fn interrupt(&mut self) {
        self.timers.clear();
        self.channels.retain(|_, entry| !entry.subscribers.is_empty());
        for entry in self.channels.values_mut() {
            entry.interrupt();
        }
    }

    /// Remembers an error of the server that names no channel for all pending requests, since it
    /// may be the answer to any of them.
    pub(crate) fn server_error(&mut self, error: &Error) {
        for entry in self.channels.values_mut().filter(|entry| entry.phase == Phase::Requested) {
            entry.server_error = Some(error.clone());
        }
    }

    /// Counts a request that the server did not confirm. Returns the error to end the subscription
    /// with, if the server sent one without a channel for the second time in a row.
    pub(crate) fn count_unconfirmed(&mut self, channel: &ChannelName) -> Option<Error> {
        self.channels.get_mut(channel)?.count_unconfirmed()
    }

    /// Counts a failure, and returns the number of failures since the last success.
    pub(crate) fn count_failure(&mut self, channel: &ChannelName) -> u32 {
        self.channels.get_mut(channel).map_or(1, |entry| {
            entry.failures = entry.failures.saturating_add(1);
            entry.failures
        })
    }

    pub(crate) fn set(&mut self, channel: &ChannelName, phase: Phase, deadline: Option<Instant>) {
        let Some(entry) = self.channels.get_mut(channel) else { return };
        entry.phase = phase;
        if let Some(old) = std::mem::replace(&mut entry.deadline, deadline) {
            self.timers.remove(&(old, channel.clone()));
        }
        if let Some(deadline) = deadline {
            self.timers.insert((deadline, channel.clone()));
        }
    }

    pub(crate) fn remove(&mut self, channel: &ChannelName) {
        self.set(channel, Phase::Idle, None);
        self.channels.remove(channel);
    }

    pub(crate) fn phase(&self, channel: &str) -> Option<Phase> {
        self.channels.get(channel).map(|entry| entry.phase)
    }

    pub(crate) fn has_subscribers(&self, channel: &ChannelName) -> bool {
        self.channels.get(channel).is_some_and(|entry| !entry.subscribers.is_empty())
    }

    /// Returns whether the server has confirmed a subscription that needs an authorization.
    pub(crate) fn is_authorized(&self) -> bool {
        let mut entries = self.channels.values();
        entries.any(|entry| entry.phase == Phase::Subscribed && entry.name.kind().needs_authorization())
    }

    pub(crate) fn names(&self) -> Vec<ChannelName> {
        self.channels.keys().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.channels.len()
    }

    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(deadline, _)| *deadline)
    }

    /// Takes a channel whose deadline has passed.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<ChannelName> {
        let (deadline, channel) = self.timers.pop_first()?;
        if deadline > now {
            self.timers.insert((deadline, channel));
            return None;
        }
        if let Some(entry) = self.channels.get_mut(&channel) {
            entry.deadline = None;
        }
        Some(channel)
    }
}
