use std::borrow::Cow;

use pusher_protocol::{
    ErrorData, Frame, FrameError, Members, PresenceMember, UserData, WatchlistChanges, names,
};
use serde::Deserialize;

use crate::{Error, ErrorKind};

/// How much of the server's words is kept.
const MAX_WORDS: usize = 300;

/// A frame from the server, by what it asks of the client.
#[derive(Debug)]
pub(crate) enum Inbound<'a> {
    /// It wants a pong.
    Ping,
    /// The subscription to this channel stands; who is on it, if it is a presence channel.
    Subscribed(Cow<'a, str>, Members),
    /// The subscription to this channel was refused.
    Refused(Cow<'a, str>, Error),
    /// Something was wrong, perhaps with this channel.
    Error(Option<Cow<'a, str>>, Error),
    /// A published event.
    Event(Cow<'a, str>, Frame<'a>),
    /// Somebody came to this presence channel.
    MemberAdded(Cow<'a, str>, PresenceMember),
    /// Somebody left this presence channel.
    MemberRemoved(Cow<'a, str>, PresenceMember),
    /// So many connections subscribe to this channel.
    Count(Cow<'a, str>, u64),
    /// Nothing is kept of this cache channel.
    CacheMiss(Cow<'a, str>),
    /// The connection is this user's.
    SignedIn(UserData),
    /// Users of the watchlist came or went.
    Watchlist(WatchlistChanges),
    /// Of the protocol, and nothing to do.
    Nothing,
    /// No frame.
    Malformed,
}

impl<'a> Inbound<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let Ok(mut frame) = Frame::parse(text) else { return Self::Malformed };
        let channel = frame.channel.take();
        let data = frame.data();
        match (&*frame.event, channel) {
            (names::PING, _) => Self::Ping,
            (names::SUBSCRIPTION_SUCCEEDED, Some(channel)) => {
                Self::Subscribed(channel, Members::parse(data).unwrap_or_default())
            }
            (names::SUBSCRIPTION_ERROR, Some(channel)) => Self::Refused(channel, subscription_error(&frame)),
            (names::ERROR, channel) => Self::Error(channel, problem(ErrorData::parse(data))),
            (names::MEMBER_ADDED, Some(channel)) => {
                read(PresenceMember::parse(data), |member| Self::MemberAdded(channel, member))
            }
            (names::MEMBER_REMOVED, Some(channel)) => {
                read(PresenceMember::parse(data), |member| Self::MemberRemoved(channel, member))
            }
            (names::SUBSCRIPTION_COUNT, Some(channel)) => {
                read(data.json(), |Count { subscription_count }| Self::Count(channel, subscription_count))
            }
            (names::CACHE_MISS, Some(channel)) => Self::CacheMiss(channel),
            (names::SIGNIN_SUCCESS, _) => read(UserData::parse(data), Self::SignedIn),
            (names::WATCHLIST_EVENTS, _) => read(WatchlistChanges::parse(data), Self::Watchlist),
            (event, Some(channel)) if !is_reserved(event) => Self::Event(channel, frame),
            _ => Self::Nothing,
        }
    }
}

fn read<'a, T>(data: Result<T, FrameError>, make: impl FnOnce(T) -> Inbound<'a>) -> Inbound<'a> {
    data.map_or(Inbound::Malformed, make)
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
    let SubscriptionError { error, status } = frame.data().json().unwrap_or_default();
    problem(ErrorData::new(status, error))
}

/// The error of a code, HTTP's or Pusher's: what the server calls passing is retryable.
pub(crate) fn problem(problem: ErrorData) -> Error {
    let kind = match problem.code {
        Some(408 | 504) => ErrorKind::Timeout,
        Some(429) => ErrorKind::RateLimited,
        Some(500..=599 | 4100..=4299) => ErrorKind::Server,
        _ => ErrorKind::Refused,
    };
    let message = problem.message.as_deref().map(words).filter(|words| !words.is_empty());
    Error::new(kind, message.unwrap_or_else(|| "the server gave no reason".to_owned()))
        .with_code(problem.code)
}

/// The server's words, cut and without control characters.
pub(crate) fn words(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(MAX_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_protocol_are_no_events() {
        for text in [
            r#"{"event":"pusher:cache_miss"}"#,
            r#"{"event":"pusher_internal:member_added","data":"{\"user_id\":\"a\"}"}"#,
            r#"{"event":"pusher:unknown","channel":"c"}"#,
            r#"{"event":"pusher:pong","data":{}}"#,
            r#"{"event":"pusher_internal:subscription_succeeded"}"#,
            r#"{"event":"news","data":"without a channel"}"#,
        ] {
            assert!(matches!(Inbound::read(text), Inbound::Nothing), "{text}");
        }
        assert!(matches!(Inbound::read(r#"{"event":"pusher:ping"}"#), Inbound::Ping));
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
            assert!(matches!(Inbound::read(text), Inbound::Malformed), "{text:.30}");
        }
    }

    #[test]
    fn only_passing_refusals_are_retryable() {
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
            let Inbound::Refused(channel, error) = Inbound::read(&text) else { panic!("{text}") };
            assert_eq!((&*channel, error.is_retryable()), ("c", retryable), "{status}");
            assert_eq!(error.to_string(), "m");
        }
    }

    #[test]
    fn the_servers_words_are_cut() {
        let long = words(&"é\n".repeat(1_000));
        assert_eq!(long, "é".repeat(MAX_WORDS));
    }
}
