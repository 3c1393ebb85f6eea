use pusher_protocol::Object;
use serde::{Deserialize, Deserializer};

/// An attribute of a channel that a request can ask for (the parameter `info`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Attribute {
    /// The number of users in a presence channel.
    UserCount,
    /// The number of subscribed connections. On pusher.com it must be enabled for the app.
    SubscriptionCount,
    /// The last event of a cache channel. Only for [`HttpApi::channel`](super::HttpApi::channel).
    Cache,
}

impl Attribute {
    fn as_str(self) -> &'static str {
        match self {
            Self::UserCount => "user_count",
            Self::SubscriptionCount => "subscription_count",
            Self::Cache => "cache",
        }
    }
}

/// Joins the attributes for the parameter `info`.
pub(super) fn text(attributes: &[Attribute]) -> Option<String> {
    let names: Vec<&str> = attributes.iter().map(|attribute| attribute.as_str()).collect();
    (!names.is_empty()).then(|| names.join(","))
}

pub(super) fn query(attributes: &[Attribute]) -> Vec<(&'static str, String)> {
    text(attributes).map(|text| ("info", text)).into_iter().collect()
}

/// The requested counts of a channel, as far as the server provides them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChannelCounts {
    /// [`Attribute::UserCount`].
    pub user_count: Option<u64>,
    /// [`Attribute::SubscriptionCount`].
    pub subscription_count: Option<u64>,
}

/// The state of one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChannelInfo {
    /// Whether the channel has subscribers.
    #[serde(default)]
    pub occupied: bool,
    /// The requested counts.
    #[serde(flatten)]
    pub counts: ChannelCounts,
    /// [`Attribute::Cache`]; `None` if not requested, or if there is no last event.
    #[serde(default, deserialize_with = "object")]
    pub cache: Option<CachedEvent>,
}

/// The last event of a cache channel. `Debug` does not show the data.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CachedEvent {
    /// The data.
    pub data: String,
    /// The seconds until the server drops it.
    #[serde(default)]
    pub ttl: u64,
}

fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CachedEvent>, D::Error> {
    let event = Option::<Object<CachedEvent>>::deserialize(deserializer)?;
    Ok(event.map(|Object(event)| event))
}

impl std::fmt::Debug for CachedEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachedEvent").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}
