use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pusher_protocol::{ChannelName, Frame};
use tokio::time::Instant;

use super::queue::Sender;
use super::{ChannelEvent, Event};
use crate::Error;

/// The channels that are wanted, who wants them, and how far each subscription has come. Ordered, so that a simulation is
/// repeatable.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    channels: BTreeMap<ChannelName, Entry>,
    timers: BTreeSet<(Instant, ChannelName)>,
}

#[derive(Debug)]
struct Entry {
    name: Arc<ChannelName>,
    subscribers: Vec<Sender>,
    phase: Phase,
    deadline: Option<Instant>,
    failures: u32,
}

/// How far a subscription has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing was done for it: there is no connection.
    Idle,
    /// The authorizer is being asked.
    Authorizing,
    /// Sent to the server; until the deadline.
    Requested,
    /// The server confirmed it.
    Subscribed,
    /// It failed, and begins again at the deadline.
    Waiting,
}

impl Registry {
    /// Adds a subscriber; whether the channel is new.
    pub(crate) fn join(&mut self, channel: ChannelName, subscriber: Sender) -> bool {
        let mut new = false;
        let entry = self.channels.entry(channel).or_insert_with_key(|channel| {
            new = true;
            Entry {
                name: Arc::new(channel.clone()),
                subscribers: Vec::new(),
                phase: Phase::Idle,
                deadline: None,
                failures: 0,
            }
        });
        if entry.phase == Phase::Subscribed {
            subscriber.notice(ChannelEvent::Subscribed);
        }
        entry.subscribers.push(subscriber);
        new
    }

    /// Forgets subscribers that are gone, and channels that nobody wants any more; gives those that the server must be told
    /// of. One whose request is under way stays until that is answered: no server unsubscribes it before.
    pub(crate) fn sweep(&mut self) -> Vec<ChannelName> {
        let mut unsubscribe = Vec::new();
        let mut forget = Vec::new();
        for (channel, entry) in &mut self.channels {
            entry.subscribers.retain(|subscriber| !subscriber.is_closed());
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

    /// The server confirmed a subscription. Whether it is still wanted; if not, it is forgotten.
    pub(crate) fn confirm(&mut self, channel: &ChannelName) -> bool {
        let Some(entry) = self.channels.get_mut(channel) else { return false };
        if entry.subscribers.is_empty() {
            self.remove(channel);
            return false;
        }
        if entry.phase != Phase::Subscribed {
            entry.failures = 0;
            entry.tell(&ChannelEvent::Subscribed);
            self.set(channel, Phase::Subscribed, None);
        }
        true
    }

    pub(crate) fn deliver(&self, channel: &str, frame: Frame<'_>) {
        let Some(entry) = self.channels.get(channel).filter(|entry| entry.phase == Phase::Subscribed) else {
            return;
        };
        let data = frame.data().text().into_owned();
        let user_id = frame.user_id.map(|id| id.into_owned());
        let event = Event::new(entry.name.clone(), frame.event.into_owned(), data, user_id);
        for subscriber in &entry.subscribers {
            subscriber.event(event.clone());
        }
    }

    /// Ends a subscription for its subscribers.
    pub(crate) fn refuse(&mut self, channel: &ChannelName, error: &Error) {
        if let Some(entry) = self.channels.get(channel) {
            entry.tell(&ChannelEvent::Refused(error.clone()));
        }
        self.remove(channel);
    }

    /// Ends all subscriptions.
    pub(crate) fn refuse_all(&mut self, error: &Error) {
        for entry in self.channels.values() {
            entry.tell(&ChannelEvent::Refused(error.clone()));
        }
        *self = Self::default();
    }

    /// There is no connection any more.
    pub(crate) fn interrupt(&mut self) {
        self.timers.clear();
        self.channels.retain(|_, entry| !entry.subscribers.is_empty());
        for entry in self.channels.values_mut() {
            if entry.phase == Phase::Subscribed {
                entry.tell(&ChannelEvent::Interrupted);
            }
            entry.phase = Phase::Idle;
            entry.deadline = None;
            entry.failures = 0;
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
        self.channels.values().any(|entry| entry.phase == Phase::Subscribed)
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

impl Entry {
    fn tell(&self, notice: &ChannelEvent) {
        for subscriber in &self.subscribers {
            subscriber.notice(notice.clone());
        }
    }
}
