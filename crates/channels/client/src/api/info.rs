use serde::Deserialize;

/// Something that the HTTP API tells of a channel when asked to (`info`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Attribute {
    /// How many different users are in a presence channel.
    UserCount,
    /// How many connections are subscribed. At pusher.com it must be enabled for the app.
    SubscriptionCount,
    /// The last event of a cache channel. For [`HttpApi::channel`](super::HttpApi::channel) only.
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

/// The attributes as one text; none when there are none.
pub(super) fn text(attributes: &[Attribute]) -> Option<String> {
    let names: Vec<&str> = attributes.iter().map(|attribute| attribute.as_str()).collect();
    (!names.is_empty()).then(|| names.join(","))
}

pub(super) fn query(attributes: &[Attribute]) -> Vec<(&'static str, String)> {
    text(attributes).map(|text| ("info", text)).into_iter().collect()
}

/// The counts of a channel: those that were asked for, and that the server tells of this channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChannelCounts {
    /// [`Attribute::UserCount`].
    pub user_count: Option<u64>,
    /// [`Attribute::SubscriptionCount`].
    pub subscription_count: Option<u64>,
}

/// What is known of one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChannelInfo {
    /// Whether anyone is subscribed.
    #[serde(default)]
    pub occupied: bool,
    /// The counts that were asked for.
    #[serde(flatten)]
    pub counts: ChannelCounts,
    /// [`Attribute::Cache`]: none when it was not asked for, or nothing is kept.
    pub cache: Option<CachedEvent>,
}

/// The event that a cache channel keeps.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CachedEvent {
    /// Its data.
    pub data: String,
    /// For how many more seconds it is kept.
    #[serde(default)]
    pub ttl: u64,
}

impl std::fmt::Debug for CachedEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachedEvent").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}
