use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The body of a webhook (Pusher's "webhooks").
///
/// A webhook may arrive twice, and after later ones: `time_ms` gives the order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// The time at which the webhook was made, in Unix milliseconds.
    pub time_ms: u64,
    /// The events in order; one event unless the app has batch webhooks enabled.
    #[serde(deserialize_with = "events")]
    pub events: Vec<WebhookEvent>,
}

/// An event of a webhook.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum WebhookEvent {
    /// A channel has its first subscriber.
    ChannelOccupied {
        /// The channel.
        channel: String,
    },
    /// A channel has lost its last subscriber.
    ChannelVacated {
        /// The channel.
        channel: String,
    },
    /// A user joined a presence channel.
    MemberAdded {
        /// The channel.
        channel: String,
        /// The user's id.
        #[serde(deserialize_with = "text")]
        user_id: String,
    },
    /// A user left a presence channel.
    MemberRemoved {
        /// The channel.
        channel: String,
        /// The user's id.
        #[serde(deserialize_with = "text")]
        user_id: String,
    },
    /// A client sent a client event.
    ClientEvent(ClientEvent),
    /// A client subscribed to a cache channel that has no last event.
    CacheMiss {
        /// The channel.
        channel: String,
    },
    /// The number of connections subscribed to a channel changed.
    SubscriptionCount {
        /// The channel.
        channel: String,
        /// The number of connections.
        subscription_count: u64,
    },
    /// An event of an unknown kind or without the fields of its kind, as received.
    #[serde(untagged)]
    Unknown(Value),
}

/// A client event that a webhook reports. Name and data are the client's: trust only the `user_id`
/// that the server sets in presence channels.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ClientEvent {
    /// The channel.
    pub channel: String,
    /// The event's name, which begins with `client-`.
    pub event: String,
    /// The event's data, decrypted if the receiver has the key.
    #[serde(deserialize_with = "text", default)]
    pub data: String,
    /// The socket id of the sender.
    #[serde(default)]
    pub socket_id: Option<String>,
    /// The user id of the sender, in presence channels.
    #[serde(deserialize_with = "optional_text", default)]
    pub user_id: Option<String>,
    /// Whether `data` is still encrypted because the key is missing or wrong.
    #[serde(skip)]
    pub is_encrypted: bool,
}

/// Reads events. By itself, serde would also read one from an array.
fn events<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<WebhookEvent>, D::Error> {
    let event = |value: Value| match value.is_object() {
        true => WebhookEvent::deserialize(value).map_err(D::Error::custom),
        false => Ok(WebhookEvent::Unknown(value)),
    };
    Vec::<Value>::deserialize(deserializer)?.into_iter().map(event).collect()
}

/// Reads a string, or any other value as its JSON.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

impl fmt::Debug for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, channel) = match self {
            Self::ChannelOccupied { channel } => ("ChannelOccupied", channel),
            Self::ChannelVacated { channel } => ("ChannelVacated", channel),
            Self::MemberAdded { channel, .. } => ("MemberAdded", channel),
            Self::MemberRemoved { channel, .. } => ("MemberRemoved", channel),
            Self::CacheMiss { channel } => ("CacheMiss", channel),
            Self::SubscriptionCount { channel, .. } => ("SubscriptionCount", channel),
            Self::ClientEvent(event) => return fmt::Debug::fmt(event, f),
            Self::Unknown(_) => return f.debug_tuple("Unknown").finish_non_exhaustive(),
        };
        f.debug_struct(name).field("channel", channel).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientEvent")
            .field("channel", &self.channel)
            .field("event", &self.event)
            .field("data_bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}
