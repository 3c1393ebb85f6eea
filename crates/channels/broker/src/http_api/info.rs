use pusher_protocol::{ChannelName, Frame};
use serde::Serialize;

use super::Refusal;
use crate::broker::Broker;
use crate::registry::Description;

/// What a caller asks of a channel: the comma-separated names of `info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) user_count: bool,
    pub(super) subscription_count: bool,
    pub(super) cache: bool,
}

/// What a channel has of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<Option<Cached>>,
}

#[derive(Debug, Serialize)]
struct Cached {
    data: String,
    ttl: u64,
}

impl Wanted {
    /// Reads the names.
    ///
    /// # Errors
    /// One that is not known.
    pub(super) fn parse(info: Option<&str>) -> Result<Self, Refusal> {
        let mut wanted = Self::default();
        let names = info.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
        for name in names {
            match name {
                "user_count" => wanted.user_count = true,
                "subscription_count" => wanted.subscription_count = true,
                "cache" => wanted.cache = true,
                other => {
                    let other: String = other.chars().take(100).collect();
                    return Err(Refusal::bad(format!("Unknown info attribute: {other}")));
                }
            }
        }
        Ok(wanted)
    }

    /// What of it a channel has, leaving out what its kind has not.
    pub(super) fn of(self, broker: &Broker, channel: &ChannelName) -> (bool, Attributes) {
        let kind = channel.kind();
        let Description { is_occupied, user_count, subscription_count, cached } =
            broker.shared.registry.describe(channel);
        let cached = cached.map(|(frame, left)| Cached {
            data: Frame::parse(&frame).map(|frame| frame.data().text().into_owned()).unwrap_or_default(),
            ttl: left.as_secs(),
        });
        let attributes = Attributes {
            user_count: (self.user_count && kind.is_presence()).then_some(user_count),
            subscription_count: self.subscription_count.then_some(subscription_count),
            cache: (self.cache && kind.is_cache()).then_some(cached),
        };
        (is_occupied, attributes)
    }
}

impl Attributes {
    /// How many users a presence channel has.
    pub(super) fn users(user_count: usize) -> Self {
        Self { user_count: Some(user_count), ..Self::default() }
    }
}
