use std::sync::Arc;

use pusher_protocol::{ChannelName, SocketId};
use serde::Serialize;

use super::WebhookKind;

/// One event in a webhook's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub(crate) enum WebhookEvent {
    ChannelOccupied {
        channel: Arc<str>,
    },
    ChannelVacated {
        channel: Arc<str>,
    },
    MemberAdded {
        channel: Arc<str>,
        user_id: Arc<str>,
    },
    MemberRemoved {
        channel: Arc<str>,
        user_id: Arc<str>,
    },
    ClientEvent {
        channel: Arc<str>,
        event: String,
        data: String,
        socket_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<String>,
    },
    CacheMiss {
        channel: Arc<str>,
    },
    SubscriptionCount {
        channel: Arc<str>,
        subscription_count: usize,
    },
}

impl WebhookEvent {
    pub(crate) fn channel_occupied(channel: &ChannelName) -> Self {
        Self::ChannelOccupied { channel: channel.as_str().into() }
    }

    pub(crate) fn channel_vacated(channel: &ChannelName) -> Self {
        Self::ChannelVacated { channel: channel.as_str().into() }
    }

    pub(crate) fn member_added(channel: &ChannelName, user_id: &str) -> Self {
        Self::MemberAdded { channel: channel.as_str().into(), user_id: user_id.into() }
    }

    pub(crate) fn member_removed(channel: &ChannelName, user_id: &str) -> Self {
        Self::MemberRemoved { channel: channel.as_str().into(), user_id: user_id.into() }
    }

    pub(crate) fn client_event(
        channel: &ChannelName,
        event: &str,
        data: &str,
        socket_id: &SocketId,
        user_id: Option<&str>,
    ) -> Self {
        Self::ClientEvent {
            channel: channel.as_str().into(),
            event: event.to_owned(),
            data: data.to_owned(),
            socket_id: socket_id.to_string(),
            user_id: user_id.map(str::to_owned),
        }
    }

    pub(crate) fn cache_miss(channel: &ChannelName) -> Self {
        Self::CacheMiss { channel: channel.as_str().into() }
    }

    pub(crate) fn subscription_count(channel: &ChannelName, subscription_count: usize) -> Self {
        Self::SubscriptionCount { channel: channel.as_str().into(), subscription_count }
    }

    /// Returns whether the event is held back until it is clear that the client does not return.
    pub(crate) fn is_departure(&self) -> bool {
        matches!(self, Self::ChannelVacated { .. } | Self::MemberRemoved { .. })
    }

    /// Returns whether a departure of the same subject may cancel the event.
    pub(crate) fn is_arrival(&self) -> bool {
        matches!(self, Self::ChannelOccupied { .. } | Self::MemberAdded { .. })
    }

    pub(crate) fn kind(&self) -> WebhookKind {
        match self {
            Self::ChannelOccupied { .. } => WebhookKind::ChannelOccupied,
            Self::ChannelVacated { .. } => WebhookKind::ChannelVacated,
            Self::MemberAdded { .. } => WebhookKind::MemberAdded,
            Self::MemberRemoved { .. } => WebhookKind::MemberRemoved,
            Self::ClientEvent { .. } => WebhookKind::ClientEvent,
            Self::CacheMiss { .. } => WebhookKind::CacheMiss,
            Self::SubscriptionCount { .. } => WebhookKind::SubscriptionCount,
        }
    }

    /// Returns the kind that reverses an arrival or a departure.
    pub(crate) fn opposite(&self) -> Option<WebhookKind> {
        match self {
            Self::ChannelOccupied { .. } => Some(WebhookKind::ChannelVacated),
            Self::ChannelVacated { .. } => Some(WebhookKind::ChannelOccupied),
            Self::MemberAdded { .. } => Some(WebhookKind::MemberRemoved),
            Self::MemberRemoved { .. } => Some(WebhookKind::MemberAdded),
            Self::ClientEvent { .. } | Self::CacheMiss { .. } | Self::SubscriptionCount { .. } => None,
        }
    }

    pub(crate) fn channel(&self) -> &str {
        match self {
            Self::ChannelOccupied { channel }
            | Self::ChannelVacated { channel }
            | Self::MemberAdded { channel, .. }
            | Self::MemberRemoved { channel, .. }
            | Self::ClientEvent { channel, .. }
            | Self::CacheMiss { channel }
            | Self::SubscriptionCount { channel, .. } => channel,
        }
    }

    /// Returns what the event reports the state of, if anything. A later event of the same subject
    /// makes an earlier one obsolete, so the two must never change places.
    pub(crate) fn subject(&self) -> Option<Subject> {
        match self {
            Self::ChannelOccupied { channel } | Self::ChannelVacated { channel } => {
                Some(Subject::Channel(channel.clone()))
            }
            Self::MemberAdded { channel, user_id } | Self::MemberRemoved { channel, user_id } => {
                Some(Subject::Member(channel.clone(), user_id.clone()))
            }
            Self::SubscriptionCount { channel, .. } => Some(Subject::Count(channel.clone())),
            Self::ClientEvent { .. } | Self::CacheMiss { .. } => None,
        }
    }

    /// Returns an upper bound of the event's size as JSON.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::ChannelOccupied { channel }
            | Self::ChannelVacated { channel }
            | Self::CacheMiss { channel }
            | Self::SubscriptionCount { channel, .. } => OVERHEAD + json_bytes(channel),
            Self::MemberAdded { channel, user_id } | Self::MemberRemoved { channel, user_id } => {
                OVERHEAD + json_bytes(channel) + json_bytes(user_id)
            }
            Self::ClientEvent { channel, event, data, socket_id, user_id } => {
                let texts = [event, data, socket_id].into_iter().chain(user_id);
                OVERHEAD + json_bytes(channel) + texts.map(|text| json_bytes(text)).sum::<usize>()
            }
        }
    }
}

/// What an event reports the state of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// Whether a channel has subscribers.
    Channel(Arc<str>),
    /// Whether a user is a member of a channel.
    Member(Arc<str>, Arc<str>),
    /// How many subscribers a channel has.
    Count(Arc<str>),
}

/// Bytes around the texts: keys, quotes, a number.
const OVERHEAD: usize = 128;

/// Returns an upper bound of a text's size within JSON.
fn json_bytes(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_never_underestimated() {
        let channel: ChannelName = "presence-room".parse().unwrap();
        let socket = SocketId::new("1.2").unwrap();
        let texts = ["", "plain", "\"\\\n\u{1}\u{7f}é"];
        for text in texts {
            for event in [
                WebhookEvent::channel_occupied(&channel),
                WebhookEvent::channel_vacated(&channel),
                WebhookEvent::member_added(&channel, text),
                WebhookEvent::member_removed(&channel, text),
                WebhookEvent::client_event(&channel, "client-e", text, &socket, Some(text)),
                WebhookEvent::cache_miss(&channel),
                WebhookEvent::subscription_count(&channel, usize::MAX),
            ] {
                let json = serde_json::to_string(&event).unwrap();
                assert!((json.len()..json.len() + OVERHEAD).contains(&event.bytes()), "{json}");
            }
        }
    }
}
