use std::borrow::Cow;
use std::fmt;

use pusher_protocol::{ChannelName, EventName, SocketId, limits};
use serde::Serialize;

use super::info::{self, Attribute};
use super::sealing::Sealing;
use crate::{Error, ErrorKind};

/// One event for one channel or several.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trigger {
    /// 1 to 100 channels; an encrypted one stands alone.
    pub channels: Vec<ChannelName>,
    /// The event's name.
    pub name: EventName,
    /// The data, as text; usually JSON. At most 10,240 bytes, for an encrypted channel when sealed.
    pub data: String,
    /// A connection that does not get the event, usually the one that caused it.
    pub socket_id: Option<SocketId>,
    /// What the answer tells of the channels: counts. pusher.com bills an event that asks as two.
    pub info: Vec<Attribute>,
}

/// One event of a batch, for one channel.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchEvent {
    /// The channel.
    pub channel: ChannelName,
    /// The event's name.
    pub name: EventName,
    /// The data, as text; usually JSON. At most 10,240 bytes, for an encrypted channel when sealed.
    pub data: String,
    /// A connection that does not get the event.
    pub socket_id: Option<SocketId>,
    /// What the answer tells of the channel: counts.
    pub info: Vec<Attribute>,
}

impl Trigger {
    /// An event for these channels.
    pub fn new(
        channels: impl IntoIterator<Item = ChannelName>,
        name: EventName,
        data: impl Into<String>,
    ) -> Self {
        let channels = channels.into_iter().collect();
        Self { channels, name, data: data.into(), socket_id: None, info: Vec::new() }
    }

    /// The same, not delivered to one connection.
    pub fn excluding(self, socket_id: SocketId) -> Self {
        Self { socket_id: Some(socket_id), ..self }
    }

    /// The same, asking for attributes of the channels.
    pub fn with_info(self, info: impl IntoIterator<Item = Attribute>) -> Self {
        Self { info: info.into_iter().collect(), ..self }
    }

    pub(super) fn body(&self, sealing: &Sealing<'_>) -> Result<Vec<u8>, Error> {
        let first = self.channels.first().filter(|_| self.channels.len() <= limits::CHANNELS_PER_EVENT);
        let Some(first) = first else {
            return Err(limit(format!("an event goes to 1 to {} channels", limits::CHANNELS_PER_EVENT)));
        };
        if self.channels.len() > 1 && self.channels.iter().any(|channel| channel.kind().is_encrypted()) {
            return Err(limit("an event for an encrypted channel goes to that channel alone"));
        }
        json(&WireTrigger {
            name: self.name.as_str(),
            data: &sealing.data(first, &self.data)?,
            channels: self.channels.iter().map(ChannelName::as_str).collect(),
            socket_id: self.socket_id.as_ref().map(SocketId::as_str),
            info: counts(&self.info)?,
        })
    }
}

impl BatchEvent {
    /// An event for a channel.
    pub fn new(channel: ChannelName, name: EventName, data: impl Into<String>) -> Self {
        Self { channel, name, data: data.into(), socket_id: None, info: Vec::new() }
    }

    /// The same, not delivered to one connection.
    pub fn excluding(self, socket_id: SocketId) -> Self {
        Self { socket_id: Some(socket_id), ..self }
    }

    /// The same, asking for attributes of the channel.
    pub fn with_info(self, info: impl IntoIterator<Item = Attribute>) -> Self {
        Self { info: info.into_iter().collect(), ..self }
    }

    fn wire<'a>(&'a self, sealing: &Sealing<'_>) -> Result<WireEvent<'a>, Error> {
        Ok(WireEvent {
            channel: self.channel.as_str(),
            name: self.name.as_str(),
            data: sealing.data(&self.channel, &self.data)?,
            socket_id: self.socket_id.as_ref().map(SocketId::as_str),
            info: counts(&self.info)?,
        })
    }
}

pub(super) fn batch_body(events: &[BatchEvent], sealing: &Sealing<'_>) -> Result<Vec<u8>, Error> {
    if events.is_empty() || events.len() > limits::EVENTS_PER_BATCH {
        return Err(limit(format!("a batch has 1 to {} events", limits::EVENTS_PER_BATCH)));
    }
    let batch = events.iter().map(|event| event.wire(sealing)).collect::<Result<_, _>>()?;
    json(&WireBatch { batch })
}

// The fields in the order of Pusher's own libraries.
#[derive(Serialize)]
struct WireTrigger<'a> {
    name: &'a str,
    data: &'a str,
    channels: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    socket_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<String>,
}

#[derive(Serialize)]
struct WireEvent<'a> {
    channel: &'a str,
    name: &'a str,
    data: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    socket_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<String>,
}

#[derive(Serialize)]
struct WireBatch<'a> {
    batch: Vec<WireEvent<'a>>,
}

/// The attributes that publishing may ask for, as one text.
fn counts(attributes: &[Attribute]) -> Result<Option<String>, Error> {
    match attributes.contains(&Attribute::Cache) {
        true => Err(limit("publishing tells counts only")),
        false => Ok(info::text(attributes)),
    }
}

pub(super) fn limit(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Limit, message)
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|_| limit("the event cannot be written as JSON"))
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
    use pusher_signer::Signer;
    use serde_json::Value;

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

    fn body(event: &Trigger) -> Result<Vec<u8>, Error> {
        event.body(&Sealing { signer: &Signer::new("k", "s"), max_data_bytes: limits::EVENT_DATA })
    }

    fn batch(events: &[BatchEvent]) -> Result<Vec<u8>, Error> {
        batch_body(events, &Sealing { signer: &Signer::new("k", "s"), max_data_bytes: limits::EVENT_DATA })
    }

    fn attributes(event: &Value) -> Vec<Attribute> {
        let names = event["info"].as_str().unwrap_or_default().split(',').filter(|name| !name.is_empty());
        names
            .map(|name| match name {
                "user_count" => Attribute::UserCount,
                "subscription_count" => Attribute::SubscriptionCount,
                other => panic!("{other}"),
            })
            .collect()
    }

    fn text<'v>(event: &'v Value, name: &str) -> &'v str {
        event[name].as_str().unwrap()
    }

    /// The body that this event, as JSON, makes of it.
    fn again(event: &Value) -> Vec<u8> {
        let name = |event| EventName::new(text(event, "name")).unwrap();
        let socket_id = |event: &Value| event["socket_id"].as_str().map(|id| id.parse().unwrap());
        let Some(events) = event["batch"].as_array() else {
            let channels = event["channels"].as_array().unwrap().iter();
            let channels = channels.map(|name| channel(name.as_str().unwrap()));
            let trigger = Trigger::new(channels, name(event), text(event, "data"));
            let trigger = Trigger { socket_id: socket_id(event), ..trigger };
            return body(&trigger.with_info(attributes(event))).unwrap();
        };
        let events: Vec<BatchEvent> = events
            .iter()
            .map(|event| {
                let channel = channel(text(event, "channel"));
                let one = BatchEvent::new(channel, name(event), text(event, "data"));
                BatchEvent { socket_id: socket_id(event), ..one }.with_info(attributes(event))
            })
            .collect();
        batch(&events).unwrap()
    }

    #[test]
    fn bodies_are_byte_for_byte_those_of_the_node_library() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/rest.json")).unwrap();
        let mut made = 0;
        for vector in vectors["body_md5"].as_array().unwrap() {
            let body = vector["body"].as_str().unwrap();
            let Ok(event) = serde_json::from_str::<Value>(body) else { continue };
            if event["channels"].is_array() || event["batch"].is_array() {
                assert_eq!(String::from_utf8(again(&event)).unwrap(), body);
                made += 1;
            }
        }
        assert_eq!(made, 11);
    }

    #[test]
    fn limits_are_checked_before_sending() {
        for (channels, data) in [(0, 1), (101, 1), (1, 10_241)] {
            assert_eq!(body(&trigger(channels, data)).unwrap_err().kind(), ErrorKind::Limit);
        }
        assert!(body(&trigger(100, 10_240)).is_ok());
        let event = BatchEvent::new(channel("a"), name(), "x");
        assert!(batch(&vec![event.clone(); 10]).is_ok());
        assert_eq!(batch(&vec![event.clone(); 11]).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(batch(&[]).unwrap_err().kind(), ErrorKind::Limit);
        let long = BatchEvent::new(channel("a"), name(), "x".repeat(10_241));
        assert_eq!(batch(&[long]).unwrap_err().kind(), ErrorKind::Limit);
        let cache = [Attribute::UserCount, Attribute::Cache];
        assert_eq!(batch(&[event.with_info(cache)]).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(body(&trigger(1, 1).with_info(cache)).unwrap_err().kind(), ErrorKind::Limit);
    }

    #[test]
    fn nothing_is_published_readable_on_an_encrypted_channel() {
        let event = Trigger::new([channel("private-encrypted-a")], name(), "x");
        assert_eq!(body(&event).unwrap_err().kind(), ErrorKind::Configuration, "there is no master key");
        let event = BatchEvent::new(channel("private-encrypted-a"), name(), "x");
        assert_eq!(batch(&[event]).unwrap_err().kind(), ErrorKind::Configuration);
        for channels in [["private-encrypted-a", "b"], ["b", "private-encrypted-cache-a"]] {
            let event = Trigger::new(channels.map(channel), name(), "x");
            assert_eq!(body(&event).unwrap_err().kind(), ErrorKind::Limit);
        }
    }

    #[test]
    fn an_encrypted_event_is_sealed_anew_each_time_and_measured_sealed() {
        let signer = Signer::new("k", "s")
            .with_encryption_master_key(pusher_signer::EncryptionMasterKey::new([7; 32]));
        let sealing = Sealing { signer: &signer, max_data_bytes: 200 };
        let name_of = channel("private-encrypted-a");
        let sealed = || sealing.data(&name_of, r#"{"n":1}"#).unwrap().into_owned();
        let (first, second) = (sealed(), sealed());
        assert_ne!(first, second, "a nonce is used once");
        for data in [first, second] {
            assert_eq!(signer.shared_secret(&name_of).unwrap().open(&data).unwrap(), r#"{"n":1}"#);
        }
        let error = sealing.data(&name_of, &"x".repeat(150)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(sealing.data(&channel("a"), &"x".repeat(150)).is_ok());
    }

    #[test]
    fn debug_shows_no_data() {
        let event = Trigger::new([channel("a")], name(), "hidden");
        assert!(!format!("{event:?}").contains("hidden"));
        assert!(!format!("{:?}", BatchEvent::new(channel("a"), name(), "hidden")).contains("hidden"));
    }
}
