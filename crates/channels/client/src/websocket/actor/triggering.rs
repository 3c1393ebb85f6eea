use pusher_protocol::{ChannelName, limits, published_event};

use super::Actor;
use crate::websocket::command::ClientEvent;
use crate::websocket::link::Link;
use crate::websocket::registry::Phase;
use crate::{Error, ErrorKind};

impl ClientEvent {
    /// Checks what can be told without a connection.
    pub(crate) fn new(channel: &ChannelName, event: &str, data: String) -> Result<Self, Error> {
        let refuse = |kind, message: &str| Err(Error::new(kind, message));
        let named = pusher_protocol::EventName::new(event).is_ok();
        if !named || !event.starts_with(pusher_protocol::names::CLIENT_PREFIX) {
            return refuse(ErrorKind::EventName, "a client event's name begins with client-");
        }
        let kind = channel.kind();
        if !kind.needs_authorization() {
            let message = "client events are for private and presence channels only";
            return refuse(ErrorKind::PublicChannel, message);
        }
        if kind.is_encrypted() {
            return refuse(ErrorKind::EncryptedChannel, "client events are not encrypted");
        }
        if data.len() > limits::EVENT_DATA {
            return refuse(ErrorKind::Limit, "the data of an event has at most 10 KB");
        }
        Ok(Self { channel: channel.clone(), event: event.to_owned(), data })
    }
}

impl Actor {
    pub(super) fn trigger(&mut self, event: &ClientEvent) -> Result<(), Error> {
        let refuse = |kind, message: &str| Err(Error::new(kind, message));
        if !matches!(self.link, Link::Up(_)) {
            return refuse(ErrorKind::NotConnected, "there is no connection");
        }
        if self.registry.phase(event.channel.as_str()) != Some(Phase::Subscribed) {
            return refuse(ErrorKind::NotSubscribed, "the channel is not subscribed to");
        }
        if !self.client_events.take() {
            return refuse(ErrorKind::RateLimited, "so many client events were sent in this second already");
        }
        self.send_text(published_event(&event.event, event.channel.as_str(), &event.data));
        Ok(())
    }
}
