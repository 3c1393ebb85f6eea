use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A webhook's body: what happened, told to the backend (Pusher's "webhooks").
///
/// The same one may come twice, and later ones before it: `time_ms` tells their order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// When it was made, in Unix milliseconds.
    pub time_ms: u64,
    /// What happened, in this order; one event unless the app has batch webhooks.
    pub events: Vec<WebhookEvent>,
}

/// One thing that happened.
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
    /// A user came into a presence channel.
    MemberAdded {
        /// The channel.
        channel: String,
        /// The user.
        #[serde(deserialize_with = "text")]
        user_id: String,
    },
    /// A user left a presence channel.
    MemberRemoved {
        /// The channel.
        channel: String,
        /// The user.
        #[serde(deserialize_with = "text")]
        user_id: String,
    },
    /// A client sent an event to the other subscribers.
    ClientEvent(ClientEvent),
    /// Somebody subscribed to a cache channel that keeps no event.
    CacheMiss {
        /// The channel.
        channel: String,
    },
    /// The number of a channel's subscriptions changed.
    SubscriptionCount {
        /// The channel.
        channel: String,
        /// How many there are.
        subscription_count: u64,
    },
    /// An event of another kind, or without the fields of its kind: the object as it came.
    #[serde(untagged)]
    Unknown(Value),
}

/// A client event, as a webhook tells it. The client wrote name and data: trust only `user_id`, of a presence channel.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ClientEvent {
    /// The channel.
    pub channel: String,
    /// The event's name; it begins with `client-`.
    pub event: String,
    /// The event's data: opened if it is an encrypted channel's and the key is known, else as the client sent it.
    #[serde(deserialize_with = "text", default)]
    pub data: String,
    /// The connection that sent it.
    #[serde(default)]
    pub socket_id: Option<String>,
    /// The user that sent it, on presence channels.
    #[serde(deserialize_with = "optional_text", default)]
    pub user_id: Option<String>,
    /// Whether `data` is still sealed: an encrypted channel's, and the key is missing or does not open it.
    #[serde(skip)]
    pub is_sealed: bool,
}

/// A text; of anything else its JSON.
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
