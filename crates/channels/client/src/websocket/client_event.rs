use std::fmt;

use pusher_protocol::{ChannelName, EventName, limits, names};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Error, ErrorKind};

/// A client event with checked name, channel and size. `Debug` does not show the data.
pub(crate) struct ClientEvent {
    pub(crate) channel: ChannelName,
    pub(crate) event: String,
    pub(crate) data: ClientEventData,
}

/// The data of a client event.
pub(crate) enum ClientEventData {
    /// A text, sent as a JSON string.
    Text(String),
    /// JSON, sent as it is.
    Json(Box<RawValue>),
}

impl ClientEvent {
    /// Checks everything that does not depend on the connection (Pusher's "client events").
    pub(crate) fn new(channel: ChannelName, event: &str, data: ClientEventData) -> Result<Self, Error> {
        let reject = |kind, message: &str| Err(Error::new(kind, message));
        EventName::new(event)?;
        if !event.starts_with(names::CLIENT_PREFIX) {
            return reject(ErrorKind::EventName, "the name of a client event must begin with client-");
        }
        let kind = channel.kind();
        if !kind.needs_authorization() {
            let message = "only private and presence channels have client events";
            return reject(ErrorKind::PublicChannel, message);
        }
        if kind.is_encrypted() {
            return reject(ErrorKind::EncryptedChannel, "encrypted channels have no client events");
        }
        if data.bytes() > limits::EVENT_DATA {
            return reject(ErrorKind::Limit, "the data of an event has at most 10,240 bytes");
        }
        Ok(Self { channel, event: event.to_owned(), data })
    }
}

impl ClientEventData {
    /// Encodes a value as JSON.
    pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let json = serde_json::value::to_raw_value(value);
        json.map(Self::Json).map_err(|error| {
            Error::new(ErrorKind::Data, "the data cannot be written as JSON").with_cause(error)
        })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Json(json) => json.get().len(),
        }
    }
}

impl fmt::Debug for ClientEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientEvent")
            .field("channel", &self.channel)
            .field("event", &self.event)
            .field("data_bytes", &self.data.bytes())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_data() {
        let channel = "private-ada".parse().unwrap();
        let event =
            ClientEvent::new(channel, "client-e", ClientEventData::Text("hidden".to_owned())).unwrap();
        let shown = r#"ClientEvent { channel: "private-ada", event: "client-e", data_bytes: 6 }"#;
        assert_eq!(format!("{event:?}"), shown);
    }
}
