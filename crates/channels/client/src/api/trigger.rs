use std::fmt;

use pusher_protocol::{ChannelName, EventName, SocketId, limits};
use serde::Serialize;

use crate::{Error, ErrorKind};

/// One event for one channel or several.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trigger {
    /// 1 to 100 channels.
    pub channels: Vec<ChannelName>,
    /// The event's name.
    pub name: EventName,
    /// The data, as text; usually JSON. At most 10,240 bytes.
    pub data: String,
    /// A connection that does not get the event, usually the one that caused it.
    pub socket_id: Option<SocketId>,
}

/// One event of a batch, for one channel.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchEvent {
    /// The channel.
    pub channel: ChannelName,
    /// The event's name.
    pub name: EventName,
    /// The data, as text; usually JSON. At most 10,240 bytes.
    pub data: String,
    /// A connection that does not get the event.
    pub socket_id: Option<SocketId>,
}

impl Trigger {
    /// An event for these channels.
    pub fn new(
        channels: impl IntoIterator<Item = ChannelName>,
        name: EventName,
        data: impl Into<String>,
    ) -> Self {
        Self { channels: channels.into_iter().collect(), name, data: data.into(), socket_id: None }
    }

    /// The same, not delivered to one connection.
    pub fn excluding(self, socket_id: SocketId) -> Self {
        Self { socket_id: Some(socket_id), ..self }
    }

    pub(super) fn body(&self) -> Result<Vec<u8>, Error> {
        if self.channels.is_empty() || self.channels.len() > limits::CHANNELS_PER_EVENT {
            return Err(limit(format!("an event goes to 1 to {} channels", limits::CHANNELS_PER_EVENT)));
        }
        self.channels.iter().try_for_each(check_channel)?;
        check_data(&self.data)?;
        json(&WireTrigger {
            name: self.name.as_str(),
            data: &self.data,
            channels: self.channels.iter().map(ChannelName::as_str).collect(),
            socket_id: self.socket_id.as_ref().map(SocketId::as_str),
        })
    }
}

impl BatchEvent {
    /// An event for a channel.
    pub fn new(channel: ChannelName, name: EventName, data: impl Into<String>) -> Self {
        Self { channel, name, data: data.into(), socket_id: None }
    }

    /// The same, not delivered to one connection.
    pub fn excluding(self, socket_id: SocketId) -> Self {
        Self { socket_id: Some(socket_id), ..self }
    }
}

pub(super) fn batch_body(events: &[BatchEvent]) -> Result<Vec<u8>, Error> {
    if events.is_empty() || events.len() > limits::EVENTS_PER_BATCH {
        return Err(limit(format!("a batch has 1 to {} events", limits::EVENTS_PER_BATCH)));
    }
    for event in events {
        check_channel(&event.channel)?;
        check_data(&event.data)?;
    }
    let batch = events
        .iter()
        .map(|event| WireEvent {
            name: event.name.as_str(),
            data: &event.data,
            channel: event.channel.as_str(),
            socket_id: event.socket_id.as_ref().map(SocketId::as_str),
        })
        .collect();
    json(&WireBatch { batch })
}

#[derive(Serialize)]
struct WireTrigger<'a> {
    name: &'a str,
    data: &'a str,
    channels: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    socket_id: Option<&'a str>,
}

#[derive(Serialize)]
struct WireEvent<'a> {
    name: &'a str,
    data: &'a str,
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    socket_id: Option<&'a str>,
}

#[derive(Serialize)]
struct WireBatch<'a> {
    batch: Vec<WireEvent<'a>>,
}

fn check_channel(channel: &ChannelName) -> Result<(), Error> {
    if channel.kind().is_encrypted() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "an event for an encrypted channel would go out readable: encryption is not supported",
        ));
    }
    Ok(())
}

fn check_data(data: &str) -> Result<(), Error> {
    if data.len() > limits::EVENT_DATA {
        return Err(limit(format!("the data of an event has at most {} bytes", limits::EVENT_DATA)));
    }
    Ok(())
}

fn limit(message: String) -> Error {
    Error::new(ErrorKind::Limit, message)
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|_| limit("the event cannot be written as JSON".to_owned()))
}

impl fmt::Debug for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trigger")
            .field("channels", &self.channels)
            .field("name", &self.name)
            .field("data_bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BatchEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchEvent")
            .field("channel", &self.channel)
            .field("name", &self.name)
            .field("data_bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(name: &str) -> ChannelName {
        name.parse().unwrap()
    }

    fn name() -> EventName {
        EventName::new("news").unwrap()
    }

    fn trigger(channels: usize, data: usize) -> Trigger {
        Trigger::new((0..channels).map(|n| channel(&format!("c{n}"))), name(), "x".repeat(data))
    }

    #[test]
    fn bodies_have_the_documented_form() {
        let event = Trigger::new([channel("a"), channel("b")], name(), r#"{"n":1}"#)
            .excluding(SocketId::from_parts(1, 2));
        assert_eq!(
            String::from_utf8(event.body().unwrap()).unwrap(),
            r#"{"name":"news","data":"{\"n\":1}","channels":["a","b"],"socket_id":"1.2"}"#
        );
        assert_eq!(
            String::from_utf8(batch_body(&[BatchEvent::new(channel("a"), name(), "x")]).unwrap()).unwrap(),
            r#"{"batch":[{"name":"news","data":"x","channel":"a"}]}"#
        );
    }

    #[test]
    fn limits_are_checked_before_sending() {
        for (channels, data) in [(0, 1), (101, 1), (1, 10_241)] {
            assert_eq!(trigger(channels, data).body().unwrap_err().kind(), ErrorKind::Limit);
        }
        assert!(trigger(100, 10_240).body().is_ok());
        let event = BatchEvent::new(channel("a"), name(), "x");
        assert!(batch_body(&vec![event.clone(); 10]).is_ok());
        assert_eq!(batch_body(&vec![event; 11]).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(batch_body(&[]).unwrap_err().kind(), ErrorKind::Limit);
        let long = BatchEvent::new(channel("a"), name(), "x".repeat(10_241));
        assert_eq!(batch_body(&[long]).unwrap_err().kind(), ErrorKind::Limit);
    }

    #[test]
    fn nothing_is_published_readable_on_an_encrypted_channel() {
        let event = Trigger::new([channel("private-encrypted-a")], name(), "x");
        assert_eq!(event.body().unwrap_err().kind(), ErrorKind::Unsupported);
        let event = BatchEvent::new(channel("private-encrypted-a"), name(), "x");
        assert_eq!(batch_body(&[event]).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn debug_shows_no_data() {
        let event = Trigger::new([channel("a")], name(), "hidden");
        assert!(!format!("{event:?}").contains("hidden"));
        assert!(!format!("{:?}", BatchEvent::new(channel("a"), name(), "hidden")).contains("hidden"));
    }
}
