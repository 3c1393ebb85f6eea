mod entry;
mod sealed;

use std::collections::{BTreeMap, BTreeSet};

use pusher_protocol::{ChannelKind, ChannelName, Frame, Members, PresenceMember};
use pusher_signer::encrypted::SharedSecret;
use tokio::time::Instant;

pub(crate) use entry::{Delivered, key_of};

use self::entry::Entry;
use self::sealed::Sealed;
use super::link::Ticket;
use super::subscription::Subscriber;
use super::{ChannelEvent, Event};
use crate::Error;

/// The channels that are wanted, who wants them, and how far each subscription has come. Ordered, so that a simulation is
/// repeatable.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    channels: BTreeMap<ChannelName, Entry>,
    timers: BTreeSet<(Instant, ChannelName)>,
}

/// How far a subscription has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing was done for it: there is no connection.
    Idle,
    /// The authorizer is being asked.
    Authorizing(Ticket),
    /// Authorized as the user whose sign-in is under way.
    AwaitingUser(Ticket),
    /// Sent to the server; until the deadline.
    Requested,
    /// The server confirmed it.
    Subscribed,
    /// It failed, and begins again at the deadline.
    Waiting,
}

impl Registry {
    /// Adds a subscriber; whether the channel is new.
    pub(crate) fn join(&mut self, channel: ChannelName, subscriber: Subscriber) -> bool {
        let mut new = false;
        let entry = self.channels.entry(channel).or_insert_with_key(|channel| {
            new = true;
            Entry::new(channel)
        });
        entry.join(subscriber);
        new
    }

    /// Ends a channel for all its subscribers; the next [`sweep`](Self::sweep) unsubscribes it.
    pub(crate) fn leave(&mut self, channel: &ChannelName) {
        if let Some(entry) = self.channels.get_mut(channel) {
            entry.subscribers.clear();
        }
    }

    /// Forgets subscribers that are gone, and channels that nobody wants any more; gives those that the server must be told
    /// of. One whose request is under way stays until that is answered: no server unsubscribes it before.
    pub(crate) fn sweep(&mut self) -> Vec<ChannelName> {
        let mut unsubscribe = Vec::new();
        let mut forget = Vec::new();
        for (channel, entry) in &mut self.channels {
            entry.subscribers.retain(|subscriber| !subscriber.events.is_closed());
            if entry.subscribers.is_empty() && entry.phase != Phase::Requested {
                if entry.phase == Phase::Subscribed {
                    unsubscribe.push(channel.clone());
                }
                forget.push(channel.clone());
            }
        }
        for channel in &forget {
            self.remove(channel);
        }
        unsubscribe
    }

    /// The server confirmed a subscription, with these members. Whether it is still wanted; if not, it is forgotten.
    pub(crate) fn confirm(&mut self, channel: &ChannelName, members: Members) -> bool {
        let Some(entry) = self.channels.get_mut(channel) else { return false };
        if entry.subscribers.is_empty() {
            self.remove(channel);
            return false;
        }
        // Nothing of an encrypted channel was asked for before its key was there; who confirms it then would speak in clear.
        if entry.name.kind().is_encrypted() && entry.sealed.is_none() {
            return true;
        }
        if entry.phase != Phase::Subscribed {
            entry.confirm(members);
            self.set(channel, Phase::Subscribed, None);
        }
        true
    }

    /// The authorization's own user, of a presence channel.
    pub(crate) fn set_me(&mut self, channel: &ChannelName, user_id: &str) {
        if let Some(entry) = self.channels.get_mut(channel) {
            entry.me = Some(user_id.into());
        }
    }

    /// The authorization's key, of an encrypted channel; so many events may wait for another.
    pub(crate) fn set_key(&mut self, channel: &ChannelName, key: SharedSecret, capacity: usize) {
        if let Some(entry) = self.channels.get_mut(channel) {
            entry.sealed = Some(Box::new(Sealed::new(key, capacity)));
        }
    }

    /// Another key was asked for, because the one before opened nothing.
    pub(crate) fn await_key(&mut self, channel: &ChannelName, ticket: Ticket) {
        let sealed = self.subscribed_mut(channel.as_str()).and_then(|entry| entry.sealed.as_mut());
        if let Some(sealed) = sealed {
            sealed.asked = Some(ticket);
        }
    }

    /// The key that was asked for. Gives the events that it opened.
    pub(crate) fn renew_key(
        &mut self,
        ticket: Ticket,
        channel: &ChannelName,
        key: Result<SharedSecret, Error>,
    ) -> Vec<Event> {
        self.subscribed_mut(channel.as_str()).map_or_else(Vec::new, |entry| entry.renew(ticket, key))
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

    pub(crate) fn count(&mut self, channel: &str, count: u64) {
        if let Some(entry) = self.subscribed_mut(channel) {
            entry.count(count);
        }
    }

    pub(crate) fn cache_miss(&mut self, channel: &str) {
        if let Some(entry) = self.subscribed_mut(channel) {
            entry.tell(&ChannelEvent::CacheMiss);
        }
    }

    fn subscribed_mut(&mut self, channel: &str) -> Option<&mut Entry> {
        self.channels.get_mut(channel).filter(|entry| entry.phase == Phase::Subscribed)
    }

    /// Ends a subscription for its subscribers.
    pub(crate) fn refuse(&mut self, channel: &ChannelName, error: &Error) {
        if let Some(entry) = self.channels.get(channel) {
            entry.refuse(error);
        }
        self.remove(channel);
    }

    /// Ends all subscriptions.
    pub(crate) fn refuse_all(&mut self, error: &Error) {
        for entry in self.channels.values() {
            entry.refuse(error);
        }
        *self = Self::default();
    }

    /// There is no connection any more.
    pub(crate) fn interrupt(&mut self) {
        self.timers.clear();
        self.channels.retain(|_, entry| !entry.subscribers.is_empty());
        for entry in self.channels.values_mut() {
            entry.interrupt();
        }
    }

    /// Counts a failure; how many there were since the last success.
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

    pub(crate) fn is_wanted(&self, channel: &ChannelName) -> bool {
        self.channels.get(channel).is_some_and(|entry| !entry.subscribers.is_empty())
    }

    /// Whether the server confirmed any subscription.
    pub(crate) fn has_subscribed(&self) -> bool {
        let counts = |kind: ChannelKind| kind.needs_authorization();
        self.channels.values().any(|entry| entry.phase == Phase::Subscribed && counts(entry.name.kind()))
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

    /// Takes a channel whose deadline has come.
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
