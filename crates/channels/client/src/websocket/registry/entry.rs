use std::sync::Arc;

use pusher_protocol::{ChannelName, Frame, PresenceMember};
use pusher_signer::encrypted::SharedSecret;
use tokio::time::Instant;

use super::Phase;
use super::sealed::{Opened, Sealed};
use crate::websocket::link::Ticket;
use crate::websocket::subscription::Subscriber;
use crate::websocket::{ChannelEvent, Event, Member, Members};
use crate::{Error, ErrorKind};

/// A channel that is wanted.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Arc<ChannelName>,
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) phase: Phase,
    pub(super) deadline: Option<Instant>,
    pub(super) failures: u32,
    /// A presence channel's own user, from the authorization.
    pub(super) me: Option<Arc<str>>,
    /// What opens an encrypted channel's events.
    pub(super) sealed: Option<Box<Sealed>>,
}

/// What came of an event.
pub(crate) enum Delivered {
    /// The subscribers have it.
    Event(Event),
    /// It waits for another key, which is to be asked for.
    KeyWanted,
    /// Nobody gets it, or not yet.
    Nothing,
}

impl Entry {
    pub(super) fn new(channel: &ChannelName) -> Self {
        Self {
            name: Arc::new(channel.clone()),
            subscribers: Vec::new(),
            phase: Phase::Idle,
            deadline: None,
            failures: 0,
            me: None,
            sealed: None,
        }
    }

    pub(super) fn join(&mut self, subscriber: Subscriber) {
        if self.phase == Phase::Subscribed {
            if let Some(other) = self.subscribers.first() {
                let standing = other.standing.borrow().clone();
                subscriber.standing.send_replace(standing);
            }
            subscriber.events.notice(ChannelEvent::Subscribed);
        }
        self.subscribers.push(subscriber);
    }

    /// The subscription stands.
    pub(super) fn confirm(&mut self, members: pusher_protocol::Members) {
        self.failures = 0;
        let members = Members::new(members, self.me.clone());
        for subscriber in &self.subscribers {
            subscriber.standing.send_modify(|standing| {
                standing.subscribed = true;
                standing.members = members.clone();
            });
        }
        self.notice(&ChannelEvent::Subscribed);
    }

    pub(super) fn interrupt(&mut self) {
        if self.phase == Phase::Subscribed {
            for subscriber in &self.subscribers {
                subscriber.standing.send_replace(Default::default());
            }
            self.notice(&ChannelEvent::Interrupted);
        }
        self.phase = Phase::Idle;
        self.deadline = None;
        self.failures = 0;
        self.sealed = None;
    }

    pub(super) fn refuse(&self, error: &Error) {
        for subscriber in &self.subscribers {
            subscriber.standing.send_replace(Default::default());
        }
        self.notice(&ChannelEvent::Refused(error.clone()));
    }

    pub(super) fn deliver(&mut self, frame: Frame<'_>) -> Delivered {
        let data = frame.data().text().into_owned();
        let user_id = frame.user_id.map(|id| id.into_owned());
        let event = Event::new(self.name.clone(), frame.event.into_owned(), data, user_id);
        match &mut self.sealed {
            None if self.name.kind().is_encrypted() => Delivered::Nothing,
            None => self.hand_out(event),
            Some(sealed) => match sealed.open(event) {
                Opened::Event(event) => self.hand_out(event),
                Opened::Held => Delivered::Nothing,
                Opened::HeldForKey => Delivered::KeyWanted,
                Opened::Full => {
                    self.subscribers.iter().for_each(|subscriber| subscriber.events.missed());
                    Delivered::Nothing
                }
                Opened::Failed(event, reason) => self.hand_out_failure(&event, reason),
            },
        }
    }

    /// The other key has come, or none: what waited is opened, or not. Gives the events that were.
    pub(super) fn renew(&mut self, ticket: Ticket, key: Result<SharedSecret, Error>) -> Vec<Event> {
        let Some(sealed) = self.sealed.as_mut().filter(|sealed| sealed.asked == Some(ticket)) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        for opened in sealed.renew(key) {
            match opened {
                Ok(event) => {
                    events.push(event.clone());
                    self.hand_out(event);
                }
                Err((event, reason)) => drop(self.hand_out_failure(&event, reason)),
            }
        }
        events
    }

    fn hand_out(&self, event: Event) -> Delivered {
        self.tell(&ChannelEvent::Event(event.clone()));
        Delivered::Event(event)
    }

    fn hand_out_failure(&self, event: &Event, reason: Error) -> Delivered {
        tracing::debug!(channel = %self.name, "an event could not be decrypted");
        self.tell(&ChannelEvent::DecryptionFailed { event: event.name().to_owned(), reason });
        Delivered::Nothing
    }

    pub(super) fn member_added(&self, member: PresenceMember) {
        let member = Member::from(member);
        if self.change_members(|members| members.insert(member.clone())) {
            self.tell(&ChannelEvent::MemberAdded(member));
        }
    }

    pub(super) fn member_removed(&self, member: &PresenceMember) {
        let mut removed = None;
        self.change_members(|members| {
            removed = members.remove(&member.id);
            removed.is_some()
        });
        if let Some(member) = removed {
            self.tell(&ChannelEvent::MemberRemoved(member));
        }
    }

    /// Changes the members for all subscribers, who share them; whether there was anything to change.
    fn change_members(&self, change: impl FnOnce(&mut Members) -> bool) -> bool {
        let first = self.subscribers.first().filter(|_| self.name.kind().is_presence());
        let Some(first) = first else { return false };
        let mut members = first.standing.borrow().members.clone();
        let changed = change(&mut members);
        if changed {
            for subscriber in &self.subscribers {
                subscriber.standing.send_modify(|standing| standing.members = members.clone());
            }
        }
        changed
    }

    pub(super) fn count(&self, count: u64) {
        for subscriber in &self.subscribers {
            subscriber.standing.send_modify(|standing| standing.count = Some(count));
        }
        self.tell(&ChannelEvent::SubscriptionCount(count));
    }

    /// Something that subscribers without room lose.
    pub(super) fn tell(&self, event: &ChannelEvent) {
        for subscriber in &self.subscribers {
            subscriber.events.event(event.clone());
        }
    }

    fn notice(&self, notice: &ChannelEvent) {
        for subscriber in &self.subscribers {
            subscriber.events.notice(notice.clone());
        }
    }
}

/// The key of an authorization for an encrypted channel.
pub(crate) fn key_of(shared_secret: Option<&str>) -> Result<SharedSecret, Error> {
    let text = shared_secret
        .ok_or_else(|| Error::new(ErrorKind::Refused, "the authorization has no shared_secret"))?;
    SharedSecret::from_base64(text).map_err(|error| Error::new(ErrorKind::Refused, error.to_string()))
}
