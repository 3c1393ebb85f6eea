mod data;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

use crate::{ChannelName, CloseCode, Frame, SocketId, json, names};

/// An event of the protocol itself (`pusher:…`, `pusher_internal:…`), to be encoded and sent
/// (Pusher's "Channels protocol"). An application's events are
/// [`published_event`](crate::published_event) and [`client_event`](crate::client_event).
///
/// `Debug` does not show the data.
#[derive(Clone)]
#[non_exhaustive]
pub enum ProtocolEvent<'a> {
    /// Client: subscribe to a channel.
    Subscribe {
        /// The channel.
        channel: &'a ChannelName,
        /// `key:signature` from the auth endpoint; empty for a public channel.
        auth: &'a str,
        /// For presence channels: the text that was signed, unchanged.
        channel_data: Option<&'a str>,
    },
    /// Client: unsubscribe from a channel.
    Unsubscribe {
        /// The channel.
        channel: &'a ChannelName,
    },
    /// Client: sign in as a user.
    SignIn {
        /// `key:signature` from the user-auth endpoint.
        auth: &'a str,
        /// The text that was signed, unchanged.
        user_data: &'a str,
    },
    /// Either side: check that the other side is still there.
    Ping,
    /// Either side: answer a ping.
    Pong,
    /// Server: the first event of a connection.
    ConnectionEstablished {
        /// The connection's socket id.
        socket_id: &'a SocketId,
        /// Seconds without a frame after which the client should ping.
        activity_timeout: u64,
    },
    /// Server: the client is subscribed.
    SubscriptionSucceeded {
        /// The channel.
        channel: &'a ChannelName,
    },
    /// Server: the client is subscribed to a presence channel.
    PresenceSucceeded {
        /// The channel.
        channel: &'a ChannelName,
        /// All members by user id, the new one included, with their `user_info` as JSON.
        members: &'a BTreeMap<&'a str, Option<&'a RawValue>>,
    },
    /// Server: a user joined a presence channel.
    MemberAdded {
        /// The channel.
        channel: &'a ChannelName,
        /// The user's id.
        user_id: &'a str,
        /// The user's `user_info` as JSON.
        user_info: Option<&'a RawValue>,
    },
    /// Server: a user left a presence channel.
    MemberRemoved {
        /// The channel.
        channel: &'a ChannelName,
        /// The user's id.
        user_id: &'a str,
    },
    /// Server: the number of subscribed connections.
    SubscriptionCount {
        /// The channel.
        channel: &'a ChannelName,
        /// The number of connections.
        count: usize,
    },
    /// Server: a cache channel has no last event.
    CacheMiss {
        /// The channel.
        channel: &'a ChannelName,
    },
    /// Server: the connection is signed in.
    SignedIn {
        /// The text that was signed, unchanged.
        user_data: &'a str,
    },
    /// Server: users of the watchlist that came online or went offline.
    WatchlistEvents {
        /// The ids of users that are online.
        online: &'a [&'a str],
        /// The ids of users that are offline.
        offline: &'a [&'a str],
    },
    /// Server: an error.
    Error {
        /// The error code, if the protocol defines one for it.
        code: Option<CloseCode>,
        /// The message for people.
        message: &'a str,
        /// The channel that the error is about. pusher.com does not send it; clients ignore it.
        channel: Option<&'a str>,
    },
}

impl ProtocolEvent<'_> {
    /// Encodes the event as the text of a frame.
    pub fn encode(&self) -> String {
        match self {
            Self::Subscribe { channel, auth, channel_data } => json::frame(
                names::SUBSCRIBE,
                None,
                &data::Subscribe { channel: channel.as_str(), auth, channel_data: *channel_data },
            ),
            Self::Unsubscribe { channel } => {
                json::frame(names::UNSUBSCRIBE, None, &data::Unsubscribe { channel: channel.as_str() })
            }
            Self::SignIn { auth, user_data } => {
                json::frame(names::SIGNIN, None, &data::SignIn { auth, user_data })
            }
            Self::Ping => json::frame(names::PING, None, &data::Empty {}),
            Self::Pong => json::frame(names::PONG, None, &data::Empty {}),
            Self::ConnectionEstablished { socket_id, activity_timeout } => {
                let data = data::ConnectionEstablished {
                    socket_id: socket_id.as_str(),
                    activity_timeout: *activity_timeout,
                };
                json::frame(names::CONNECTION_ESTABLISHED, None, &json::encode(&data))
            }
            Self::SubscriptionSucceeded { channel } => {
                json::frame(names::SUBSCRIPTION_SUCCEEDED, Some(channel.as_str()), "{}")
            }
            Self::PresenceSucceeded { channel, members } => {
                let presence = data::Presence {
                    ids: members.keys().copied().collect(),
                    hash: members,
                    count: members.len(),
                };
                let data = json::encode(&data::PresenceSucceeded { presence });
                json::frame(names::SUBSCRIPTION_SUCCEEDED, Some(channel.as_str()), &data)
            }
            Self::MemberAdded { channel, user_id, user_info } => {
                let data = json::encode(&data::Member { user_id, user_info: *user_info });
                json::frame(names::MEMBER_ADDED, Some(channel.as_str()), &data)
            }
            Self::MemberRemoved { channel, user_id } => {
                let data = json::encode(&data::Member { user_id, user_info: None });
                json::frame(names::MEMBER_REMOVED, Some(channel.as_str()), &data)
            }
            Self::SubscriptionCount { channel, count } => {
                let data = json::encode(&data::SubscriptionCount { subscription_count: *count });
                json::frame(names::SUBSCRIPTION_COUNT, Some(channel.as_str()), &data)
            }
            Self::CacheMiss { channel } => {
                json::encode(&data::CacheMiss { event: names::CACHE_MISS, channel: channel.as_str() })
            }
            Self::SignedIn { user_data } => {
                json::frame(names::SIGNIN_SUCCESS, None, &data::SignedIn { user_data })
            }
            Self::WatchlistEvents { online, offline } => {
                let events: Vec<_> = [("online", *online), ("offline", *offline)]
                    .into_iter()
                    .filter(|(_, user_ids)| !user_ids.is_empty())
                    .map(|(name, user_ids)| data::WatchlistEvent { name, user_ids })
                    .collect();
                json::frame(names::WATCHLIST_EVENTS, None, &json::encode(&data::WatchlistEvents { events }))
            }
            Self::Error { code, message, channel } => {
                let data = data::Error { code: code.map(|code| code.0), message };
                json::frame(names::ERROR, *channel, &data)
            }
        }
    }
}

impl fmt::Debug for ProtocolEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.encode();
        let Ok(frame) = Frame::parse(&text) else { return f.write_str("ProtocolEvent") };
        f.debug_struct("ProtocolEvent")
            .field("event", &frame.event)
            .field("channel", &frame.channel)
            .field("data_bytes", &frame.data().raw().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_documented_form() {
        let channel = ChannelName::new("private-ada").unwrap();
        let socket_id = SocketId::new("1.2").unwrap();
        let room = ChannelName::new("presence-room").unwrap();
        let ada = RawValue::from_string(r#"{"name":"Ada"}"#.to_owned()).unwrap();
        let members = BTreeMap::from([("1", Some(&*ada)), ("2", None)]);
        for (frame, text) in [
            (
                ProtocolEvent::Subscribe { channel: &channel, auth: "k:s", channel_data: None },
                r#"{"event":"pusher:subscribe","data":{"channel":"private-ada","auth":"k:s"}}"#,
            ),
            (
                ProtocolEvent::Unsubscribe { channel: &channel },
                r#"{"event":"pusher:unsubscribe","data":{"channel":"private-ada"}}"#,
            ),
            (
                ProtocolEvent::SignIn { auth: "k:s", user_data: r#"{"id":"ada"}"# },
                r#"{"event":"pusher:signin","data":{"auth":"k:s","user_data":"{\"id\":\"ada\"}"}}"#,
            ),
            (ProtocolEvent::Ping, r#"{"event":"pusher:ping","data":{}}"#),
            (ProtocolEvent::Pong, r#"{"event":"pusher:pong","data":{}}"#),
            (
                ProtocolEvent::ConnectionEstablished { socket_id: &socket_id, activity_timeout: 120 },
                r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":120}"}"#,
            ),
            (
                ProtocolEvent::SubscriptionSucceeded { channel: &channel },
                r#"{"event":"pusher_internal:subscription_succeeded","channel":"private-ada","data":"{}"}"#,
            ),
            (
                ProtocolEvent::PresenceSucceeded { channel: &room, members: &members },
                r#"{"event":"pusher_internal:subscription_succeeded","channel":"presence-room","data":"{\"presence\":{\"ids\":[\"1\",\"2\"],\"hash\":{\"1\":{\"name\":\"Ada\"},\"2\":null},\"count\":2}}"}"#,
            ),
            (
                ProtocolEvent::MemberAdded { channel: &room, user_id: "1", user_info: Some(&ada) },
                r#"{"event":"pusher_internal:member_added","channel":"presence-room","data":"{\"user_id\":\"1\",\"user_info\":{\"name\":\"Ada\"}}"}"#,
            ),
            (
                ProtocolEvent::MemberRemoved { channel: &room, user_id: "1" },
                r#"{"event":"pusher_internal:member_removed","channel":"presence-room","data":"{\"user_id\":\"1\"}"}"#,
            ),
            (
                ProtocolEvent::SubscriptionCount { channel: &channel, count: 3 },
                r#"{"event":"pusher_internal:subscription_count","channel":"private-ada","data":"{\"subscription_count\":3}"}"#,
            ),
            (
                ProtocolEvent::CacheMiss { channel: &channel },
                r#"{"event":"pusher:cache_miss","channel":"private-ada"}"#,
            ),
            (
                ProtocolEvent::SignedIn { user_data: r#"{"id":"1"}"# },
                r#"{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"1\"}"}}"#,
            ),
            (
                ProtocolEvent::WatchlistEvents { online: &["1", "2"], offline: &[] },
                r#"{"event":"pusher_internal:watchlist_events","data":"{\"events\":[{\"name\":\"online\",\"user_ids\":[\"1\",\"2\"]}]}"}"#,
            ),
            (
                ProtocolEvent::Error { code: None, message: "m", channel: None },
                r#"{"event":"pusher:error","data":{"code":null,"message":"m"}}"#,
            ),
            (
                ProtocolEvent::Error { code: Some(CloseCode::UNKNOWN_APP), message: "m", channel: Some("c") },
                r#"{"event":"pusher:error","channel":"c","data":{"code":4001,"message":"m"}}"#,
            ),
        ] {
            assert_eq!(frame.encode(), text);
        }
    }

    #[test]
    fn debug_shows_no_data() {
        let room = ChannelName::new("presence-room").unwrap();
        let hidden = RawValue::from_string(r#"{"hidden":1}"#.to_owned()).unwrap();
        let members = BTreeMap::from([("1", Some(&*hidden))]);
        let data = r#"{"user_id":"1","user_info":"hidden"}"#;
        for frame in [
            ProtocolEvent::Subscribe { channel: &room, auth: "k:hidden", channel_data: Some(data) },
            ProtocolEvent::SignIn { auth: "k:hidden", user_data: data },
            ProtocolEvent::PresenceSucceeded { channel: &room, members: &members },
            ProtocolEvent::MemberAdded { channel: &room, user_id: "1", user_info: Some(&hidden) },
            ProtocolEvent::SignedIn { user_data: data },
        ] {
            let shown = format!("{frame:?}");
            assert!(!shown.contains("hidden") && shown.contains("pusher"), "{shown}");
        }
        assert_eq!(
            format!("{:?}", ProtocolEvent::SubscriptionSucceeded { channel: &room }),
            r#"ProtocolEvent { event: "pusher_internal:subscription_succeeded", channel: Some("presence-room"), data_bytes: 4 }"#
        );
    }
}
