use pusher_protocol::{ChannelName, SocketId};
use serde::Serialize;

/// One event of a webhook's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub(crate) enum Occurrence {
    ChannelOccupied {
        channel: String,
    },
    ChannelVacated {
        channel: String,
    },
    MemberAdded {
        channel: String,
        user_id: String,
    },
    MemberRemoved {
        channel: String,
        user_id: String,
    },
    ClientEvent {
        channel: String,
        event: String,
        data: String,
        socket_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<String>,
    },
    CacheMiss {
        channel: String,
    },
    SubscriptionCount {
        channel: String,
        subscription_count: usize,
    },
}

impl Occurrence {
    pub(crate) fn occupied(channel: &ChannelName) -> Self {
        Self::ChannelOccupied { channel: channel.to_string() }
    }

    pub(crate) fn vacated(channel: &ChannelName) -> Self {
        Self::ChannelVacated { channel: channel.to_string() }
    }

    pub(crate) fn member_added(channel: &ChannelName, user_id: &str) -> Self {
        Self::MemberAdded { channel: channel.to_string(), user_id: user_id.to_owned() }
    }

    pub(crate) fn member_removed(channel: &ChannelName, user_id: &str) -> Self {
        Self::MemberRemoved { channel: channel.to_string(), user_id: user_id.to_owned() }
    }

    pub(crate) fn client_event(
        channel: &ChannelName,
        event: &str,
        data: &str,
        socket_id: &SocketId,
        user_id: Option<&str>,
    ) -> Self {
        Self::ClientEvent {
            channel: channel.to_string(),
            event: event.to_owned(),
            data: data.to_owned(),
            socket_id: socket_id.to_string(),
            user_id: user_id.map(str::to_owned),
        }
    }

    pub(crate) fn cache_miss(channel: &ChannelName) -> Self {
        Self::CacheMiss { channel: channel.to_string() }
    }

    pub(crate) fn subscription_count(channel: &ChannelName, subscription_count: usize) -> Self {
        Self::SubscriptionCount { channel: channel.to_string(), subscription_count }
    }

    /// Whether it waits for the client to come back.
    pub(crate) fn is_departure(&self) -> bool {
        matches!(self, Self::ChannelVacated { .. } | Self::MemberRemoved { .. })
    }

    /// Whether it undoes this departure.
    pub(crate) fn is_return_after(&self, departure: &Self) -> bool {
        match (self, departure) {
            (Self::ChannelOccupied { channel }, Self::ChannelVacated { channel: left }) => channel == left,
            (Self::MemberAdded { channel, user_id }, Self::MemberRemoved { channel: left, user_id: who }) => {
                channel == left && user_id == who
            }
            _ => false,
        }
    }
}
