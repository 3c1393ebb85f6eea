use pusher_protocol::{ChannelName, Frame};
use serde::Serialize;

use super::ApiError;
use crate::broker::Broker;
use crate::registry::ChannelSnapshot;

/// The attributes of a channel that a caller requests with the parameter `info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RequestedInfo {
    pub(super) user_count: bool,
    pub(super) subscription_count: bool,
    pub(super) cache: bool,
}

/// A channel's attributes in a response. Absent ones were not requested or do not apply.
#[derive(Debug, Default, Serialize)]
pub(super) struct ChannelInfo {
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

impl RequestedInfo {
    /// Parses a comma-separated list of attribute names.
    ///
    /// # Errors
    /// Returns an error if a name is unknown.
    pub(super) fn parse(info: Option<&str>) -> Result<Self, ApiError> {
        let mut requested = Self::default();
        let names = info.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
        for name in names {
            match name {
                "user_count" => requested.user_count = true,
                "subscription_count" => requested.subscription_count = true,
                "cache" => requested.cache = true,
                other => {
                    let other: String = other.chars().take(100).collect();
                    return Err(ApiError::bad_request(format!("Unknown info attribute: {other}")));
                }
            }
        }
        Ok(requested)
    }

    /// Looks up the requested attributes of a channel, as far as its kind has them, and whether it
    /// is occupied.
    pub(super) fn look_up(self, broker: &Broker, channel: &ChannelName) -> (bool, ChannelInfo) {
        let kind = channel.kind();
        let ChannelSnapshot { is_occupied, user_count, subscription_count, cached } =
            broker.shared.registry.channel(channel);
        let cached = cached.map(|(frame, left)| Cached {
            data: Frame::parse(&frame).map(|frame| frame.data().text().into_owned()).unwrap_or_default(),
            ttl: left.as_secs(),
        });
        let info = ChannelInfo {
            user_count: (self.user_count && kind.is_presence()).then_some(user_count),
            subscription_count: self.subscription_count.then_some(subscription_count),
            cache: (self.cache && kind.is_cache()).then_some(cached),
        };
        (is_occupied, info)
    }
}

impl ChannelInfo {
    /// Returns the attribute `user_count` alone.
    pub(super) fn of_users(user_count: usize) -> Self {
        Self { user_count: Some(user_count), ..Self::default() }
    }
}
