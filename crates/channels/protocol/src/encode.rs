use serde::Serialize;

use crate::{ChannelName, CloseCode, SocketId, names};

/// A frame that this side sends, other than a published event ([`published_event`]).
#[derive(Clone, Debug, PartialEq, Eq)]
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
            Self::Error { code, message, channel } => {
                frame(names::ERROR, *channel, &ErrorData { code: code.map(|code| code.0), message })
            }
        }
    }
}

/// The frame of an event published on a channel; `data` is its text, encoded a second time here as the protocol wants.
pub fn published_event(event: &str, channel: &str, data: &str) -> String {
    frame(event, Some(channel), &data)
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
struct HandshakeData<'a> {
    socket_id: &'a str,
    activity_timeout: u64,
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
        for (frame, text) in [
            (
                Outgoing::Subscribe { channel: &channel, auth: "k:s", channel_data: None },
                r#"{"event":"pusher:subscribe","data":{"channel":"private-ada","auth":"k:s"}}"#,
            ),
            (
                Outgoing::Unsubscribe { channel: &channel },
                r#"{"event":"pusher:unsubscribe","data":{"channel":"private-ada"}}"#,
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
    fn published_data_is_encoded_twice() {
        assert_eq!(
            published_event("e", "c", r#"{"a":"é"}"#),
            r#"{"event":"e","channel":"c","data":"{\"a\":\"é\"}"}"#
        );
    }
}
