use pusher_protocol::{ChannelName, SocketId};
use serde::Serialize;

/// One event in a webhook's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub(crate) enum WebhookEvent {
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

impl WebhookEvent {
    pub(crate) fn channel_occupied(channel: &ChannelName) -> Self {
        Self::ChannelOccupied { channel: channel.to_string() }
    }

    pub(crate) fn channel_vacated(channel: &ChannelName) -> Self {
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

    /// Returns whether the event is held back until it is clear that the client does not return.
    pub(crate) fn is_departure(&self) -> bool {
        matches!(self, Self::ChannelVacated { .. } | Self::MemberRemoved { .. })
    }

    /// Returns the channel or user that the event reports as gone or present. A departure and a
    /// return of the same subject cancel each other out.
    pub(crate) fn subject(&self) -> Option<Subject> {
        match self {
            Self::ChannelOccupied { channel } | Self::ChannelVacated { channel } => {
                Some(Subject { channel: channel.clone(), user_id: None })
            }
            Self::MemberAdded { channel, user_id } | Self::MemberRemoved { channel, user_id } => {
                Some(Subject { channel: channel.clone(), user_id: Some(user_id.clone()) })
            }
            _ => None,
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
                let texts = [channel, event, data, socket_id].into_iter().chain(user_id);
                OVERHEAD + texts.map(|text| json_bytes(text)).sum::<usize>()
            }
        }
    }
}

/// A channel as a whole, or one of its users.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    channel: String,
    user_id: Option<String>,
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
