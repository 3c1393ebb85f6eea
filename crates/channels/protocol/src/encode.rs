use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{ChannelName, CloseCode, Frame, SocketId, names};

/// A frame that this side sends, other than a published event ([`published_event`]). `Debug` shows no data.
#[derive(Clone)]
#[non_exhaustive]
pub enum Outgoing<'a> {
    /// Client: subscribe. `auth` is empty for a public channel.
    Subscribe {
        /// The channel.
        channel: &'a ChannelName,
        /// `key:signature`, from the auth endpoint.
        auth: &'a str,
        /// The exact text that was signed with it, for presence channels.
        channel_data: Option<&'a str>,
    },
    /// Client: unsubscribe.
    Unsubscribe {
        /// The channel.
        channel: &'a ChannelName,
    },
    /// Client: sign in as a user.
    SignIn {
        /// `key:signature`, from the user-auth endpoint.
        auth: &'a str,
        /// The exact text that was signed with it.
        user_data: &'a str,
    },
    /// Either: ask for a sign of life.
    Ping,
    /// Either: give it.
    Pong,
    /// Server: the first event.
    ConnectionEstablished {
        /// The connection's id.
        socket_id: &'a SocketId,
        /// Seconds.
        activity_timeout: u64,
    },
    /// Server: the subscription stands.
    SubscriptionSucceeded {
        /// The channel.
        channel: &'a ChannelName,
    },
    /// Server: the subscription to a presence channel stands.
    PresenceSucceeded {
        /// The channel.
        channel: &'a ChannelName,
        /// Its users, the new one among them, by id, with their `user_info` as JSON.
        members: &'a BTreeMap<&'a str, Option<&'a RawValue>>,
    },
    /// Server: a user came to a presence channel.
    MemberAdded {
        /// The channel.
        channel: &'a ChannelName,
        /// The user's id.
        user_id: &'a str,
        /// The user's `user_info`, JSON.
        user_info: Option<&'a RawValue>,
    },
    /// Server: a user left a presence channel.
    MemberRemoved {
        /// The channel.
        channel: &'a ChannelName,
        /// The user's id.
        user_id: &'a str,
    },
    /// Server: how many connections are subscribed.
    SubscriptionCount {
        /// The channel.
        channel: &'a ChannelName,
        /// How many.
        count: usize,
    },
    /// Server: a cache channel has no last event.
    CacheMiss {
        /// The channel.
        channel: &'a ChannelName,
    },
    /// Server: the connection is the user's.
    SignedIn {
        /// The text that was signed.
        user_data: &'a str,
    },
    /// Server: which users of the watchlist are there and which are not.
    WatchlistEvents {
        /// Who is there, or came.
        online: &'a [&'a str],
        /// Who is not, or left.
        offline: &'a [&'a str],
    },
    /// Server: something was wrong.
    Error {
        /// The code, if the protocol has one for it.
        code: ErrorCode,
        /// What, for people.
        message: &'a str,
        /// The channel it concerns; not sent by pusher.com, ignored by clients that do not know it.
        channel: Option<&'a str>,
    },
}

/// The `code` of an error event.
pub type ErrorCode = Option<CloseCode>;

impl Outgoing<'_> {
    /// The frame's text.
    pub fn encode(&self) -> String {
        match self {
            Self::Subscribe { channel, auth, channel_data } => frame(
                names::SUBSCRIBE,
                None,
                &SubscribeData { channel: channel.as_str(), auth, channel_data: *channel_data },
            ),
            Self::Unsubscribe { channel } => {
                frame(names::UNSUBSCRIBE, None, &ChannelData { channel: channel.as_str() })
            }
            Self::SignIn { auth, user_data } => frame(names::SIGNIN, None, &SignInData { auth, user_data }),
            Self::Ping => frame(names::PING, None, &Empty {}),
            Self::Pong => frame(names::PONG, None, &Empty {}),
            Self::ConnectionEstablished { socket_id, activity_timeout } => {
                let data =
                    HandshakeData { socket_id: socket_id.as_str(), activity_timeout: *activity_timeout };
                frame(names::CONNECTION_ESTABLISHED, None, &json(&data))
            }
            Self::SubscriptionSucceeded { channel } => {
                frame(names::SUBSCRIPTION_SUCCEEDED, Some(channel.as_str()), &"{}")
            }
            Self::PresenceSucceeded { channel, members } => {
                let presence =
                    Presence { ids: members.keys().copied().collect(), hash: members, count: members.len() };
                frame(
                    names::SUBSCRIPTION_SUCCEEDED,
                    Some(channel.as_str()),
                    &json(&PresenceData { presence }),
                )
            }
            Self::MemberAdded { channel, user_id, user_info } => {
                let data = json(&MemberData { user_id, user_info: *user_info });
                frame(names::MEMBER_ADDED, Some(channel.as_str()), &data)
            }
            Self::MemberRemoved { channel, user_id } => {
                let data = json(&MemberData { user_id, user_info: None });
                frame(names::MEMBER_REMOVED, Some(channel.as_str()), &data)
            }
            Self::SubscriptionCount { channel, count } => {
                let data = json(&CountData { subscription_count: *count });
                frame(names::SUBSCRIPTION_COUNT, Some(channel.as_str()), &data)
            }
            Self::CacheMiss { channel } => {
                json(&Bare { event: names::CACHE_MISS, channel: channel.as_str() })
            }
            Self::SignedIn { user_data } => frame(names::SIGNIN_SUCCESS, None, &SignedInData { user_data }),
            Self::WatchlistEvents { online, offline } => {
                let events: Vec<_> = [("online", *online), ("offline", *offline)]
                    .into_iter()
                    .filter(|(_, user_ids)| !user_ids.is_empty())
                    .map(|(name, user_ids)| WatchlistEvent { name, user_ids })
                    .collect();
                frame(names::WATCHLIST_EVENTS, None, &json(&WatchlistData { events }))
            }
            Self::Error { code, message, channel } => {
                frame(names::ERROR, *channel, &ErrorData { code: code.map(|code| code.0), message })
            }
        }
    }
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.encode();
        let Ok(frame) = Frame::parse(&text) else { return f.write_str("Outgoing") };
        f.debug_struct("Outgoing")
            .field("event", &frame.event)
            .field("channel", &frame.channel)
            .field("data_bytes", &frame.data().raw().len())
            .finish()
    }
}

/// The frame of an event published on a channel; `data` is its text, encoded a second time here as the protocol wants.
pub fn published_event(event: &str, channel: &str, data: &str) -> String {
    frame(event, Some(channel), &data)
}

/// The frame of an event that a client sent, as the others of the channel get it; `user_id` is the sender's, in presence channels.
pub fn client_event(event: &str, channel: &str, data: &str, user_id: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Wire<'a> {
        event: &'a str,
        channel: &'a str,
        data: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<&'a str>,
    }
    json(&Wire { event, channel, data, user_id })
}

#[derive(Serialize)]
struct SubscribeData<'a> {
    channel: &'a str,
    auth: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_data: Option<&'a str>,
}

#[derive(Serialize)]
struct ChannelData<'a> {
    channel: &'a str,
}

#[derive(Serialize)]
struct SignInData<'a> {
    auth: &'a str,
    user_data: &'a str,
}

#[derive(Serialize)]
struct HandshakeData<'a> {
    socket_id: &'a str,
    activity_timeout: u64,
}

#[derive(Serialize)]
struct PresenceData<'a> {
    presence: Presence<'a>,
}

#[derive(Serialize)]
struct Presence<'a> {
    ids: Vec<&'a str>,
    hash: &'a BTreeMap<&'a str, Option<&'a RawValue>>,
    count: usize,
}

#[derive(Serialize)]
struct MemberData<'a> {
    user_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_info: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct CountData {
    subscription_count: usize,
}

#[derive(Serialize)]
struct SignedInData<'a> {
    user_data: &'a str,
}

#[derive(Serialize)]
struct WatchlistData<'a> {
    events: Vec<WatchlistEvent<'a>>,
}

#[derive(Serialize)]
struct WatchlistEvent<'a> {
    name: &'a str,
    user_ids: &'a [&'a str],
}

#[derive(Serialize)]
struct Bare<'a> {
    event: &'a str,
    channel: &'a str,
}

#[derive(Serialize)]
struct ErrorData<'a> {
    code: Option<u16>,
    message: &'a str,
}

#[derive(Serialize)]
struct Empty {}

fn frame<T: Serialize>(event: &str, channel: Option<&str>, data: &T) -> String {
    #[derive(Serialize)]
    struct Wire<'a, T> {
        event: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<&'a str>,
        data: &'a T,
    }
    json(&Wire { event, channel, data })
}

/// Texts, numbers and structs of them cannot fail to become JSON.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
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
                Outgoing::Subscribe { channel: &channel, auth: "k:s", channel_data: None },
                r#"{"event":"pusher:subscribe","data":{"channel":"private-ada","auth":"k:s"}}"#,
            ),
            (
                Outgoing::Unsubscribe { channel: &channel },
                r#"{"event":"pusher:unsubscribe","data":{"channel":"private-ada"}}"#,
            ),
            (
                Outgoing::SignIn { auth: "k:s", user_data: r#"{"id":"ada"}"# },
                r#"{"event":"pusher:signin","data":{"auth":"k:s","user_data":"{\"id\":\"ada\"}"}}"#,
            ),
            (Outgoing::Ping, r#"{"event":"pusher:ping","data":{}}"#),
            (Outgoing::Pong, r#"{"event":"pusher:pong","data":{}}"#),
            (
                Outgoing::ConnectionEstablished { socket_id: &socket_id, activity_timeout: 120 },
                r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":120}"}"#,
            ),
            (
                Outgoing::SubscriptionSucceeded { channel: &channel },
                r#"{"event":"pusher_internal:subscription_succeeded","channel":"private-ada","data":"{}"}"#,
            ),
            (
                Outgoing::PresenceSucceeded { channel: &room, members: &members },
                r#"{"event":"pusher_internal:subscription_succeeded","channel":"presence-room","data":"{\"presence\":{\"ids\":[\"1\",\"2\"],\"hash\":{\"1\":{\"name\":\"Ada\"},\"2\":null},\"count\":2}}"}"#,
            ),
            (
                Outgoing::MemberAdded { channel: &room, user_id: "1", user_info: Some(&ada) },
                r#"{"event":"pusher_internal:member_added","channel":"presence-room","data":"{\"user_id\":\"1\",\"user_info\":{\"name\":\"Ada\"}}"}"#,
            ),
            (
                Outgoing::MemberRemoved { channel: &room, user_id: "1" },
                r#"{"event":"pusher_internal:member_removed","channel":"presence-room","data":"{\"user_id\":\"1\"}"}"#,
            ),
            (
                Outgoing::SubscriptionCount { channel: &channel, count: 3 },
                r#"{"event":"pusher_internal:subscription_count","channel":"private-ada","data":"{\"subscription_count\":3}"}"#,
            ),
            (
                Outgoing::CacheMiss { channel: &channel },
                r#"{"event":"pusher:cache_miss","channel":"private-ada"}"#,
            ),
            (
                Outgoing::SignedIn { user_data: r#"{"id":"1"}"# },
                r#"{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"1\"}"}}"#,
            ),
            (
                Outgoing::WatchlistEvents { online: &["1", "2"], offline: &[] },
                r#"{"event":"pusher_internal:watchlist_events","data":"{\"events\":[{\"name\":\"online\",\"user_ids\":[\"1\",\"2\"]}]}"}"#,
            ),
            (
                Outgoing::Error { code: None, message: "m", channel: None },
                r#"{"event":"pusher:error","data":{"code":null,"message":"m"}}"#,
            ),
            (
                Outgoing::Error { code: Some(CloseCode::UNKNOWN_APP), message: "m", channel: Some("c") },
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
            Outgoing::Subscribe { channel: &room, auth: "k:hidden", channel_data: Some(data) },
            Outgoing::SignIn { auth: "k:hidden", user_data: data },
            Outgoing::PresenceSucceeded { channel: &room, members: &members },
            Outgoing::MemberAdded { channel: &room, user_id: "1", user_info: Some(&hidden) },
            Outgoing::SignedIn { user_data: data },
        ] {
            let shown = format!("{frame:?}");
            assert!(!shown.contains("hidden") && shown.contains("pusher"), "{shown}");
        }
        assert_eq!(
            format!("{:?}", Outgoing::SubscriptionSucceeded { channel: &room }),
            r#"Outgoing { event: "pusher_internal:subscription_succeeded", channel: Some("presence-room"), data_bytes: 4 }"#
        );
    }

    #[test]
    fn a_client_event_says_who_sent_it_where_that_is_known() {
        assert_eq!(
            client_event("client-e", "presence-c", "{}", Some("1")),
            r#"{"event":"client-e","channel":"presence-c","data":"{}","user_id":"1"}"#
        );
        assert_eq!(
            client_event("client-e", "private-c", "x", None),
            r#"{"event":"client-e","channel":"private-c","data":"x"}"#
        );
    }

    #[test]
    fn published_data_is_encoded_twice() {
        assert_eq!(
            published_event("e", "c", r#"{"a":"é"}"#),
            r#"{"event":"e","channel":"c","data":"{\"a\":\"é\"}"}"#
        );
    }
}
