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

    /// Who departed or came: the departure and the return of the same one undo each other.
    pub(crate) fn who(&self) -> Option<Who> {
        match self {
            Self::ChannelOccupied { channel } | Self::ChannelVacated { channel } => {
                Some(Who { channel: channel.clone(), user_id: None })
            }
            Self::MemberAdded { channel, user_id } | Self::MemberRemoved { channel, user_id } => {
                Some(Who { channel: channel.clone(), user_id: Some(user_id.clone()) })
            }
            _ => None,
        }
    }

    /// No fewer bytes than it has as JSON.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::ChannelOccupied { channel }
            | Self::ChannelVacated { channel }
            | Self::CacheMiss { channel }
            | Self::SubscriptionCount { channel, .. } => FRAME + json_bytes(channel),
            Self::MemberAdded { channel, user_id } | Self::MemberRemoved { channel, user_id } => {
                FRAME + json_bytes(channel) + json_bytes(user_id)
            }
            Self::ClientEvent { channel, event, data, socket_id, user_id } => {
                let texts = [channel, event, data, socket_id].into_iter().chain(user_id);
                FRAME + texts.map(|text| json_bytes(text)).sum::<usize>()
            }
        }
    }
}

/// A channel as a whole, or one of its users.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Who {
    channel: String,
    user_id: Option<String>,
}

/// Bytes around the texts: names, quotes, a number.
const FRAME: usize = 128;

/// The bytes that a text has at most within JSON.
fn json_bytes(text: &str) -> usize {
    let of = |byte: u8| match byte {
        b'"' | b'\\' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_takes_is_never_underestimated() {
        let channel: ChannelName = "presence-room".parse().unwrap();
        let socket = SocketId::new("1.2").unwrap();
        let texts = ["", "plain", "\"\\\n\u{1}\u{7f}é"];
        for text in texts {
            for occurrence in [
                Occurrence::occupied(&channel),
                Occurrence::vacated(&channel),
                Occurrence::member_added(&channel, text),
                Occurrence::member_removed(&channel, text),
                Occurrence::client_event(&channel, "client-e", text, &socket, Some(text)),
                Occurrence::cache_miss(&channel),
                Occurrence::subscription_count(&channel, usize::MAX),
            ] {
                let json = serde_json::to_string(&occurrence).unwrap();
                assert!((json.len()..json.len() + FRAME).contains(&occurrence.bytes()), "{json}");
            }
        }
    }
}
