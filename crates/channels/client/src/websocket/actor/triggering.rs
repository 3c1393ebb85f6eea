use pusher_protocol::published_event;

use super::Actor;
use crate::websocket::client_event::{ClientEvent, ClientEventData};
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
        let channel = event.channel.as_str();
        self.send_text(match &event.data {
            ClientEventData::Text(text) => published_event(&event.event, channel, text.as_str()),
            ClientEventData::Json(json) => published_event(&event.event, channel, json),
        });
        Ok(())
    }
}
