use std::sync::Arc;

use pusher_protocol::{ChannelName, Frame, PresenceMember};
use pusher_signer::encrypted::SharedSecret;
use tokio::time::Instant;

use super::Phase;
use super::decryptor::{Decrypted, Decryptor};
use crate::websocket::connection::Ticket;
use crate::websocket::subscription::{ChannelState, Subscriber};
use crate::websocket::{ChannelEvent, Event, Member, Members};
use crate::{Error, ErrorKind};

/// How many requests in a row the server must leave unconfirmed, each with an error that names no
/// channel, for the error to count as their answer.
const REFUSALS: u32 = 2;

/// A channel with subscribers.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Arc<ChannelName>,
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) phase: Phase,
    pub(super) deadline: Option<Instant>,
    pub(super) failures: u32,
    /// The server's last error without a channel since the request.
    pub(super) server_error: Option<Error>,
    /// The requests in a row that were followed by such an error and not confirmed.
    refusals: u32,
    /// The user that a presence channel is subscribed as.
    pub(super) me: Option<Arc<str>>,
    /// Present for an encrypted channel once it is authorized.
    pub(super) decryptor: Option<Box<Decryptor>>,
}

/// The result of delivering an event.
pub(crate) enum Delivered {
    /// The event was delivered.
    Event(Event),
    /// The event waits for a new key, which must be requested.
    KeyNeeded,
    /// The event was dropped, or waits.
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
            server_error: None,
            refusals: 0,
            me: None,
            decryptor: None,
        }
    }

    pub(super) fn join(&mut self, subscriber: Subscriber) {
        if self.phase == Phase::Subscribed {
            if let Some(other) = self.subscribers.first() {
                let state = other.state.borrow().clone();
                subscriber.state.send_replace(state);
            }
            subscriber.events.notice(ChannelEvent::Subscribed);
        }
        self.subscribers.push(subscriber);
    }

    /// Handles the confirmation of the subscription.
    pub(super) fn confirm(&mut self, members: pusher_protocol::Members) {
        self.failures = 0;
        self.server_error = None;
        self.refusals = 0;
        let members = Members::new(members, self.me.clone());
        for subscriber in &self.subscribers {
            subscriber.state.send_modify(|state| {
                state.subscribed = true;
                state.members = members.clone();
            });
        }
        self.notice(&ChannelEvent::Subscribed);
    }

    pub(super) fn interrupt(&mut self) {
        if self.phase == Phase::Subscribed {
            for subscriber in &self.subscribers {
                subscriber.state.send_replace(Default::default());
            }
            self.notice(&ChannelEvent::Interrupted);
        }
        self.server_error = None;
        self.phase = Phase::Idle;
        self.deadline = None;
        self.failures = 0;
        self.decryptor = None;
    }

    /// Counts a request that was not confirmed. Returns the server's error after the second one
    /// in a row that was followed by an error.
    pub(super) fn count_unconfirmed(&mut self) -> Option<Error> {
        let Some(error) = self.server_error.take().filter(|error| !error.is_retryable()) else {
            self.refusals = 0;
            return None;
        };
        self.refusals += 1;
        (self.refusals >= REFUSALS).then_some(error)
    }

    pub(super) fn refuse(&self, error: &Error) {
        for subscriber in &self.subscribers {
            let refused = Some(error.clone());
            subscriber.state.send_replace(ChannelState { refused, ..ChannelState::default() });
        }
        self.notice(&ChannelEvent::Refused(error.clone()));
    }

    pub(super) fn deliver(&mut self, frame: Frame<'_>) -> Delivered {
        let data = frame.data().text().into_owned();
        let user_id = frame.user_id.map(|id| id.into_owned());
        let event = Event::new(self.name.clone(), frame.event.into_owned(), data, user_id);
        match &mut self.decryptor {
            None if self.name.kind().is_encrypted() => Delivered::Nothing,
            None => self.publish(event),
            Some(decryptor) => match decryptor.decrypt(event) {
                Decrypted::Event(event) => self.publish(event),
                Decrypted::Waiting => Delivered::Nothing,
                Decrypted::KeyNeeded => Delivered::KeyNeeded,
                Decrypted::Dropped => {
                    self.subscribers.iter().for_each(|subscriber| subscriber.events.count_dropped());
                    Delivered::Nothing
                }
                Decrypted::Failed(event, reason) => self.publish_failure(&event, reason),
            },
        }
    }

    /// Handles the answer to a request for a new key. Returns the events that were decrypted with
    /// it.
    pub(super) fn renew_key(&mut self, ticket: Ticket, key: Result<SharedSecret, Error>) -> Vec<Event> {
        let is_pending = |decryptor: &&mut Box<Decryptor>| decryptor.pending_renewal == Some(ticket);
        let Some(decryptor) = self.decryptor.as_mut().filter(is_pending) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        for decrypted in decryptor.renew(key) {
            match decrypted {
                Ok(event) => {
                    events.push(event.clone());
                    self.publish(event);
                }
                Err((event, reason)) => drop(self.publish_failure(&event, reason)),
            }
        }
        events
    }

    fn publish(&self, event: Event) -> Delivered {
        self.send(&ChannelEvent::Event(event.clone()));
        Delivered::Event(event)
    }

    fn publish_failure(&self, event: &Event, reason: Error) -> Delivered {
        tracing::debug!(channel = %self.name, "could not decrypt an event");
        self.send(&ChannelEvent::DecryptionFailed { event: event.name().to_owned(), reason });
        Delivered::Nothing
    }

    pub(super) fn member_added(&self, member: PresenceMember) {
        let member = Member::from(member);
        if self.change_members(|members| members.insert(member.clone())) {
            self.send(&ChannelEvent::MemberAdded(member));
        }
    }

    pub(super) fn member_removed(&self, member: &PresenceMember) {
        let mut removed = None;
        self.change_members(|members| {
            removed = members.remove(&member.id);
            removed.is_some()
        });
        if let Some(member) = removed {
            self.send(&ChannelEvent::MemberRemoved(member));
        }
    }

    /// Changes the members, which all subscribers share. Returns whether they changed.
    fn change_members(&self, change: impl FnOnce(&mut Members) -> bool) -> bool {
        let first = self.subscribers.first().filter(|_| self.name.kind().is_presence());
        let Some(first) = first else { return false };
        let mut members = first.state.borrow().members.clone();
        let changed = change(&mut members);
        if changed {
            for subscriber in &self.subscribers {
                subscriber.state.send_modify(|state| state.members = members.clone());
            }
        }
        changed
    }

    pub(super) fn subscription_count(&self, count: u64) {
        for subscriber in &self.subscribers {
            subscriber.state.send_modify(|state| state.count = Some(count));
        }
        self.send(&ChannelEvent::SubscriptionCount(count));
    }

    /// Sends an event to all subscribers; those with a full queue lose it.
    pub(super) fn send(&self, event: &ChannelEvent) {
        for subscriber in &self.subscribers {
            subscriber.events.event(event.clone());
        }
    }

    /// Sends a notice to all subscribers, which none of them loses.
    fn notice(&self, notice: &ChannelEvent) {
        for subscriber in &self.subscribers {
            subscriber.events.notice(notice.clone());
        }
    }
}

/// Returns the key from the authorization of an encrypted channel.
pub(crate) fn key_from(shared_secret: Option<&str>) -> Result<SharedSecret, Error> {
    let text = shared_secret.ok_or_else(|| {
        Error::new(ErrorKind::Refused, "the authorization of the encrypted channel has no shared_secret")
    })?;
    SharedSecret::from_base64(text).map_err(|error| {
        let message = "the shared_secret of the authorization is malformed";
        Error::new(ErrorKind::Refused, message).with_cause(error)
    })
}
