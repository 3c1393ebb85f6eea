use std::borrow::Cow;

use pusher_protocol::{
    ErrorData, Frame, FrameError, Members, PresenceMember, UserData, WatchlistChanges, names,
};
use serde::Deserialize;

use crate::{Error, ErrorKind};

/// The longest message of the server that is kept, in characters.
const MAX_MESSAGE: usize = 300;

/// The fewest hexadecimal digits that may be a signature.
const SIGNATURE: usize = 32;

/// A message from the server.
#[derive(Debug)]
pub(crate) enum ServerMessage<'a> {
    /// A ping.
    Ping,
    /// The channel is subscribed; the members, if it is a presence channel.
    Subscribed(Cow<'a, str>, Members),
    /// The subscription to the channel was rejected.
    Rejected(Cow<'a, str>, Error),
    /// An error, possibly about a channel.
    Error(Option<Cow<'a, str>>, Error),
    /// A published event.
    Event(Cow<'a, str>, Frame<'a>),
    /// A user joined the presence channel.
    MemberAdded(Cow<'a, str>, PresenceMember),
    /// A user left the presence channel.
    MemberRemoved(Cow<'a, str>, PresenceMember),
    /// The number of connections subscribed to the channel.
    SubscriptionCount(Cow<'a, str>, u64),
    /// The cache channel has no last event.
    CacheMiss(Cow<'a, str>),
    /// The connection is signed in.
    SignedIn(UserData),
    /// Users of the watchlist came online or went offline.
    Watchlist(WatchlistChanges),
    /// A message of the protocol that needs no action.
    Ignored,
    /// Not a valid message.
    Malformed,
}

impl<'a> ServerMessage<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        let Ok(mut frame) = Frame::parse(text) else { return Self::Malformed };
        let channel = frame.channel.take();
        let data = frame.data();
        match (&*frame.event, channel) {
            (names::PING, _) => Self::Ping,
            (names::SUBSCRIPTION_SUCCEEDED, Some(channel)) => {
                Self::Subscribed(channel, Members::parse(data).unwrap_or_default())
            }
            (names::SUBSCRIPTION_ERROR, Some(channel)) => Self::Rejected(channel, subscription_error(&frame)),
            (names::ERROR, channel) => Self::Error(channel, server_error(ErrorData::parse(data))),
            (names::MEMBER_ADDED, Some(channel)) => {
                parsed(PresenceMember::parse(data), |member| Self::MemberAdded(channel, member))
            }
            (names::MEMBER_REMOVED, Some(channel)) => {
                parsed(PresenceMember::parse(data), |member| Self::MemberRemoved(channel, member))
            }
            (names::SUBSCRIPTION_COUNT, Some(channel)) => {
                parsed(data.object(), |Count { subscription_count }| {
                    Self::SubscriptionCount(channel, subscription_count)
                })
            }
            (names::CACHE_MISS, Some(channel)) => Self::CacheMiss(channel),
            (names::SIGNIN_SUCCESS, _) => parsed(UserData::parse(data), Self::SignedIn),
            (names::WATCHLIST_EVENTS, _) => parsed(WatchlistChanges::parse(data), Self::Watchlist),
            (event, Some(channel)) if !is_reserved(event) => Self::Event(channel, frame),
            _ => Self::Ignored,
        }
    }
}

fn parsed<'a, T>(
    data: Result<T, FrameError>,
    message: impl FnOnce(T) -> ServerMessage<'a>,
) -> ServerMessage<'a> {
    data.map_or(ServerMessage::Malformed, message)
}

/// The data of `pusher_internal:subscription_count`.
#[derive(Deserialize)]
struct Count {
    subscription_count: u64,
}

fn is_reserved(event: &str) -> bool {
    event.starts_with(names::PUSHER_PREFIX) || event.starts_with(names::INTERNAL_PREFIX)
}

/// The data of `pusher:subscription_error`, as soketi sends it.
#[derive(Default, Deserialize)]
struct SubscriptionError {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    status: Option<u16>,
}

fn subscription_error(frame: &Frame<'_>) -> Error {
    let SubscriptionError { error, status } = frame.data().object().unwrap_or_default();
    server_error(ErrorData::new(status, error))
}

/// Returns the error for an HTTP or Pusher code. Codes for temporary failures are retryable.
pub(crate) fn server_error(data: ErrorData) -> Error {
    let kind = match data.code {
        Some(408 | 504) => ErrorKind::Timeout,
        Some(429) => ErrorKind::RateLimited,
        Some(500..=599 | 4100..=4299) => ErrorKind::Server,
        _ => ErrorKind::Refused,
    };
    let message = data.message.as_deref().map(sanitize).filter(|message| !message.is_empty());
    Error::new(kind, message.unwrap_or_else(|| "the server gave no reason".to_owned())).with_code(data.code)
}

/// Shortens a message of the server, and removes control characters and signatures: pusher.com
/// repeats a wrong one.
pub(crate) fn sanitize(text: &str) -> String {
    let is_separator = |char: char| !char.is_ascii_alphanumeric();
    let shown = text.split_inclusive(is_separator).flat_map(|part| {
        let word = part.trim_end_matches(is_separator);
        let is_signature = word.len() >= SIGNATURE && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (hidden, rest) = if is_signature { ("…", part.get(word.len()..)) } else { ("", Some(part)) };
        hidden.chars().chain(rest.unwrap_or_default().chars())
    });
    shown.filter(|char| !char.is_control()).take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_protocol_are_not_events() {
        for text in [
            r#"{"event":"pusher:cache_miss"}"#,
            r#"{"event":"pusher_internal:member_added","data":"{\"user_id\":\"a\"}"}"#,
            r#"{"event":"pusher:unknown","channel":"c"}"#,
            r#"{"event":"pusher:pong","data":{}}"#,
            r#"{"event":"pusher_internal:subscription_succeeded"}"#,
            r#"{"event":"news","data":"without a channel"}"#,
        ] {
            assert!(matches!(ServerMessage::parse(text), ServerMessage::Ignored), "{text}");
        }
        assert!(matches!(ServerMessage::parse(r#"{"event":"pusher:ping"}"#), ServerMessage::Ping));
    }

    #[test]
    fn garbage_is_malformed() {
        let nested = format!(r#"{{"event":"e","channel":"c","data":{}"#, "[".repeat(20_000));
        for text in [
            "",
            "null",
            "[]",
            "{\"event\":",
            r#"{"event":7}"#,
            r#"{"channel":"c"}"#,
            r#"{"event":"pusher_internal:subscription_count","channel":"c","data":"{}"}"#,
            r#"{"event":"pusher_internal:member_added","channel":"c","data":"{}"}"#,
            r#"{"event":"pusher:signin_success","data":{}}"#,
            r#"{"event":"pusher_internal:watchlist_events","data":"[]"}"#,
            &nested,
        ] {
            assert!(matches!(ServerMessage::parse(text), ServerMessage::Malformed), "{text:.30}");
        }
    }

    #[test]
    fn only_temporary_rejections_are_retryable() {
        for (status, retryable) in [
            ("401", false),
            ("403", false),
            ("4009", false),
            ("4301", false),
            ("null", false),
            ("429", true),
            ("503", true),
            ("4100", true),
            ("4200", true),
        ] {
            let text = format!(
                r#"{{"event":"pusher:subscription_error","channel":"c","data":{{"type":"AuthError","error":"m","status":{status}}}}}"#
            );
            let ServerMessage::Rejected(channel, error) = ServerMessage::parse(&text) else {
                panic!("{text}")
            };
            assert_eq!((&*channel, error.is_retryable()), ("c", retryable), "{status}");
            assert_eq!(error.to_string(), "m");
        }
    }

    #[test]
    fn a_signature_in_a_message_is_hidden() {
        let text = "Invalid signature: Expected HMAC SHA256 hex digest of 1.2:private-a, but got 0a1b2c3d4e5f60718293a4b5c6d7e8f9.";
        assert_eq!(
            sanitize(text),
            "Invalid signature: Expected HMAC SHA256 hex digest of 1.2:private-a, but got …."
        );
    }

    #[test]
    fn messages_of_the_server_are_shortened() {
        let long = sanitize(&"é\n".repeat(1_000));
        assert_eq!(long, "é".repeat(MAX_MESSAGE));
    }
}
