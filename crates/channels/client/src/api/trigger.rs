use std::borrow::Cow;
use std::fmt;

use pusher_protocol::{ChannelName, EventName, InvalidChannelName, InvalidEventName, SocketId, limits};
use serde::Serialize;

use super::data_encoder::DataEncoder;
use super::info::{self, Attribute};
use crate::Error;

/// An event to publish on one or more channels. `Debug` does not show the data.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trigger {
    /// The channels, 1 to 100. An encrypted channel must be the only one.
    pub channels: Vec<ChannelName>,
    /// The event's name.
    pub name: EventName,
    /// The data as text, usually JSON. At most 10,240 bytes; for encrypted channels after
    /// encryption.
    pub data: String,
    /// A connection that does not receive the event, usually the one that caused it.
    pub socket_id: Option<SocketId>,
    /// The attributes of the channels to return. pusher.com counts such an event twice.
    pub info: Vec<Attribute>,
}

/// An event of a batch, for one channel. `Debug` does not show the data.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchEvent {
    /// The channel.
    pub channel: ChannelName,
    /// The event's name.
    pub name: EventName,
    /// The data as text, usually JSON. At most 10,240 bytes; for encrypted channels after
    /// encryption.
    pub data: String,
    /// A connection that does not receive the event.
    pub socket_id: Option<SocketId>,
    /// The attributes of the channel to return.
    pub info: Vec<Attribute>,
}

impl Trigger {
    /// Creates an event. Names can be given as `&str`, `String`, [`ChannelName`] or [`EventName`].
    ///
    /// # Errors
    /// Returns [`ErrorKind::ChannelName`](crate::ErrorKind::ChannelName) or
    /// [`ErrorKind::EventName`](crate::ErrorKind::EventName) if a name is invalid.
    pub fn new(
        channels: impl IntoIterator<Item: TryInto<ChannelName, Error: Into<InvalidChannelName>>>,
        name: impl TryInto<EventName, Error: Into<InvalidEventName>>,
        data: impl Into<String>,
    ) -> Result<Self, Error> {
        let channels = channels
            .into_iter()
            .map(|channel| channel.try_into().map_err(Into::into))
            .collect::<Result<_, InvalidChannelName>>()?;
        let name = name.try_into().map_err(Into::into)?;
        Ok(Self { channels, name, data: data.into(), socket_id: None, info: Vec::new() })
    }

    /// Excludes a connection from the receivers.
    #[must_use]
    pub fn excluding(self, socket_id: SocketId) -> Self {
        Self { socket_id: Some(socket_id), ..self }
    }

    /// Asks for attributes of the channels.
    #[must_use]
    pub fn with_info(self, info: impl IntoIterator<Item = Attribute>) -> Self {
        Self { info: info.into_iter().collect(), ..self }
    }

    pub(super) fn body(&self, encoder: &DataEncoder<'_>) -> Result<Vec<u8>, Error> {
        let first = self.channels.first().filter(|_| self.channels.len() <= limits::CHANNELS_PER_EVENT);
        let Some(first) = first else {
            let message = format!("an event must have 1 to {} channels", limits::CHANNELS_PER_EVENT);
            return Err(Error::limit(message));
        };
        if self.channels.len() > 1 && self.channels.iter().any(|channel| channel.kind().is_encrypted()) {
            return Err(Error::limit("an encrypted channel must be the only channel of an event"));
        }
        json(&WireTrigger {
            name: self.name.as_str(),
            data: &encoder.encode(first, &self.data)?,
            channels: self.channels.iter().map(ChannelName::as_str).collect(),
            socket_id: self.socket_id.as_ref().map(SocketId::as_str),
            info: counts(&self.info)?,
        })
    }
}

impl BatchEvent {
    /// Creates an event. Names can be given as `&str`, `String`, [`ChannelName`] or [`EventName`].
    ///
    /// # Errors
    /// As [`Trigger::new`].
    pub fn new(
        channel: impl TryInto<ChannelName, Error: Into<InvalidChannelName>>,
        name: impl TryInto<EventName, Error: Into<InvalidEventName>>,
        data: impl Into<String>,
    ) -> Result<Self, Error> {
        let channel = channel.try_into().map_err(Into::into)?;
        let name = name.try_into().map_err(Into::into)?;
        Ok(Self { channel, name, data: data.into(), socket_id: None, info: Vec::new() })
    }

    /// Excludes a connection from the receivers.
    #[must_use]
    pub fn excluding(self, socket_id: SocketId) -> Self {
        Self { socket_id: Some(socket_id), ..self }
    }

    /// Asks for attributes of the channel.
    #[must_use]
    pub fn with_info(self, info: impl IntoIterator<Item = Attribute>) -> Self {
        Self { info: info.into_iter().collect(), ..self }
    }

    fn wire<'a>(&'a self, encoder: &DataEncoder<'_>) -> Result<WireEvent<'a>, Error> {
        Ok(WireEvent {
            channel: self.channel.as_str(),
            name: self.name.as_str(),
            data: encoder.encode(&self.channel, &self.data)?,
            socket_id: self.socket_id.as_ref().map(SocketId::as_str),
            info: counts(&self.info)?,
        })
    }
}

/// Returns the body of a batch.
pub(super) fn batch_body(events: &[BatchEvent], encoder: &DataEncoder<'_>) -> Result<Vec<u8>, Error> {
    if events.is_empty() || events.len() > limits::EVENTS_PER_BATCH {
        return Err(Error::limit(format!("a batch must have 1 to {} events", limits::EVENTS_PER_BATCH)));
    }
    let batch = events.iter().map(|event| event.wire(encoder)).collect::<Result<_, _>>()?;
    json(&WireBatch { batch })
}

// The order of the fields is that of Pusher's own libraries.
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

/// Joins the attributes for the parameter `info` of an event, which may ask for counts alone.
fn counts(attributes: &[Attribute]) -> Result<Option<String>, Error> {
    match attributes.contains(&Attribute::Cache) {
        true => Err(Error::limit("an event can ask for counts only, not for Attribute::Cache")),
        false => Ok(info::text(attributes)),
    }
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|error| Error::limit("the event cannot be encoded as JSON").with_cause(error))
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
    use crate::ErrorKind;

    fn channel(name: &str) -> ChannelName {
        name.parse().unwrap()
    }

    fn name() -> EventName {
        EventName::new("news").unwrap()
    }

    fn trigger(channels: usize, data: usize) -> Trigger {
        Trigger::new((0..channels).map(|n| channel(&format!("c{n}"))), name(), "x".repeat(data)).unwrap()
    }

    fn body(event: &Trigger) -> Result<Vec<u8>, Error> {
        event.body(&DataEncoder { signer: &Signer::new("k", "s"), max_bytes: limits::EVENT_DATA })
    }

    fn batch(events: &[BatchEvent]) -> Result<Vec<u8>, Error> {
        batch_body(events, &DataEncoder { signer: &Signer::new("k", "s"), max_bytes: limits::EVENT_DATA })
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

    /// Rebuilds the body of an event from its JSON.
    fn rebuild(event: &Value) -> Vec<u8> {
        let name = |event| EventName::new(text(event, "name")).unwrap();
        let socket_id = |event: &Value| event["socket_id"].as_str().map(|id| id.parse().unwrap());
        let Some(events) = event["batch"].as_array() else {
            let channels = event["channels"].as_array().unwrap().iter();
            let channels = channels.map(|name| channel(name.as_str().unwrap()));
            let trigger = Trigger::new(channels, name(event), text(event, "data")).unwrap();
            let trigger = Trigger { socket_id: socket_id(event), ..trigger };
            return body(&trigger.with_info(attributes(event))).unwrap();
        };
        let events: Vec<BatchEvent> = events
            .iter()
            .map(|event| {
                let channel = channel(text(event, "channel"));
                let one = BatchEvent::new(channel, name(event), text(event, "data")).unwrap();
                BatchEvent { socket_id: socket_id(event), ..one }.with_info(attributes(event))
            })
            .collect();
        batch(&events).unwrap()
    }

    #[test]
    fn bodies_equal_those_of_the_node_library_byte_by_byte() {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/vectors/rest.json")).unwrap();
        let mut made = 0;
        for vector in vectors["body_md5"].as_array().unwrap() {
            let body = vector["body"].as_str().unwrap();
            let Ok(event) = serde_json::from_str::<Value>(body) else { continue };
            if event["channels"].is_array() || event["batch"].is_array() {
                assert_eq!(String::from_utf8(rebuild(&event)).unwrap(), body);
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
        let event = BatchEvent::new("a", "news", "x").unwrap();
        assert!(batch(&vec![event.clone(); 10]).is_ok());
        assert_eq!(batch(&vec![event.clone(); 11]).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(batch(&[]).unwrap_err().kind(), ErrorKind::Limit);
        let long = BatchEvent::new("a", "news", "x".repeat(10_241)).unwrap();
        assert_eq!(batch(&[long]).unwrap_err().kind(), ErrorKind::Limit);
        let cache = [Attribute::UserCount, Attribute::Cache];
        assert_eq!(batch(&[event.with_info(cache)]).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(body(&trigger(1, 1).with_info(cache)).unwrap_err().kind(), ErrorKind::Limit);
    }

    #[test]
    fn nothing_is_published_unencrypted_on_an_encrypted_channel() {
        let event = Trigger::new(["private-encrypted-a"], "news", "x").unwrap();
        assert_eq!(body(&event).unwrap_err().kind(), ErrorKind::Configuration, "there is no master key");
        let event = BatchEvent::new("private-encrypted-a", "news", "x").unwrap();
        assert_eq!(batch(&[event]).unwrap_err().kind(), ErrorKind::Configuration);
        for channels in [["private-encrypted-a", "b"], ["b", "private-encrypted-cache-a"]] {
            let event = Trigger::new(channels, "news", "x").unwrap();
            assert_eq!(body(&event).unwrap_err().kind(), ErrorKind::Limit);
        }
    }

    #[test]
    fn an_event_is_encrypted_with_a_new_nonce_and_limited_after_encryption() {
        let signer = Signer::new("k", "s")
            .with_encryption_master_key(pusher_signer::EncryptionMasterKey::new([7; 32]));
        let encoder = DataEncoder { signer: &signer, max_bytes: 200 };
        let encrypted = channel("private-encrypted-a");
        let encode = || encoder.encode(&encrypted, r#"{"n":1}"#).unwrap().into_owned();
        let (first, second) = (encode(), encode());
        assert_ne!(first, second, "a nonce is used once");
        for data in [first, second] {
            assert_eq!(signer.shared_secret(&encrypted).unwrap().open(&data).unwrap(), r#"{"n":1}"#);
        }
        let error = encoder.encode(&encrypted, &"x".repeat(150)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(encoder.encode(&channel("a"), &"x".repeat(150)).is_ok());
    }

    #[test]
    fn debug_shows_no_data() {
        let event = Trigger::new(["a"], "news", "hidden").unwrap();
        assert!(!format!("{event:?}").contains("hidden"));
        assert!(!format!("{:?}", BatchEvent::new("a", "news", "hidden").unwrap()).contains("hidden"));
    }

    #[test]
    fn invalid_names_have_their_own_kinds() {
        assert_eq!(Trigger::new(["a b"], "news", "").unwrap_err().kind(), ErrorKind::ChannelName);
        assert_eq!(Trigger::new(["a"], "", "").unwrap_err().kind(), ErrorKind::EventName);
        let error = BatchEvent::new("a", "pusher:ping", "").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EventName);
        assert!(error.to_string().contains("reserved"), "{error}");
    }
}
