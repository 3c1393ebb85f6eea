use pusher_protocol::published_event;

use super::Actor;
use crate::websocket::client_event::ClientEvent;
use crate::websocket::connection::Connection;
use crate::websocket::registry::Phase;
use crate::{Error, ErrorKind};

impl Actor {
    /// Sends a client event.
    pub(super) fn trigger(&mut self, event: &ClientEvent) -> Result<(), Error> {
        let reject = |kind, message: &str| Err(Error::new(kind, message));
        if !matches!(self.connection, Connection::Open(_)) {
            return reject(ErrorKind::NotConnected, "there is no connection");
        }
        if self.registry.phase(event.channel.as_str()) != Some(Phase::Subscribed) {
            return reject(
                ErrorKind::NotSubscribed,
                "the server has not confirmed a subscription to the channel",
            );
        }
        if !self.client_events.try_acquire() {
            return reject(ErrorKind::RateLimited, "the limit of client events per second is reached");
        }
        self.send_text(published_event(&event.event, event.channel.as_str(), &event.data));
        Ok(())
    }
}
