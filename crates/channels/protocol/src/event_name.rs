use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::limits;

/// The names of the protocol's own events, and the prefixes of names that have a meaning.
pub mod names {
    /// Server to client: the first event of a connection.
    pub const CONNECTION_ESTABLISHED: &str = "pusher:connection_established";
    /// Server to client: an error. The connection may stay open.
    pub const ERROR: &str = "pusher:error";
    /// Either direction: asks whether the other side is still there.
    pub const PING: &str = "pusher:ping";
    /// Either direction: answers a ping.
    pub const PONG: &str = "pusher:pong";
    /// Client to server: subscribes to a channel.
    pub const SUBSCRIBE: &str = "pusher:subscribe";
    /// Client to server: unsubscribes from a channel. The server does not confirm it.
    pub const UNSUBSCRIBE: &str = "pusher:unsubscribe";
    /// Server to client: confirms a subscription.
    pub const SUBSCRIPTION_SUCCEEDED: &str = "pusher_internal:subscription_succeeded";
    /// Server to client: rejects a subscription. Sent by soketi; pusher.com sends [`ERROR`].
    pub const SUBSCRIPTION_ERROR: &str = "pusher:subscription_error";
    /// Client to server: signs in as a user.
    pub const SIGNIN: &str = "pusher:signin";
    /// Server to client: confirms a sign-in.
    pub const SIGNIN_SUCCESS: &str = "pusher:signin_success";
    /// Server to client: the first connection of a user subscribed to a presence channel.
    pub const MEMBER_ADDED: &str = "pusher_internal:member_added";
    /// Server to client: the last connection of a user left a presence channel.
    pub const MEMBER_REMOVED: &str = "pusher_internal:member_removed";
    /// Server to client: the number of connections subscribed to a channel.
    pub const SUBSCRIPTION_COUNT: &str = "pusher_internal:subscription_count";
    /// Server to client: a cache channel has no last event.
    pub const CACHE_MISS: &str = "pusher:cache_miss";
    /// Server to client: users of the watchlist came online or went offline.
    pub const WATCHLIST_EVENTS: &str = "pusher_internal:watchlist_events";
    /// The prefix of a signed-in user's channel; the user's id follows.
    pub const SERVER_TO_USER_PREFIX: &str = "#server-to-user-";
    /// The prefix of events that clients send.
    pub const CLIENT_PREFIX: &str = "client-";
    /// The prefix of the protocol's events.
    pub const PUSHER_PREFIX: &str = "pusher:";
    /// The prefix of the protocol's events that client libraries do not pass on.
    pub const INTERNAL_PREFIX: &str = "pusher_internal:";
}

/// The checked name of an application's event: 1 to 200 characters without control characters, not
/// beginning with `pusher:` or `pusher_internal:`.
///
/// Functions that take an event name accept anything that converts to one, such as `&str`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventName(String);

/// The error for text that is not the name of an application's event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEventName {
    /// The name is empty.
    #[error("an event name must not be empty")]
    Empty,
    /// The name is longer than [`limits::EVENT_NAME`].
    #[error("an event name has at most {} characters", limits::EVENT_NAME)]
    TooLong,
    /// The name contains a control character.
    #[error("an event name must not contain control characters")]
    Control,
    /// The name begins with `pusher:` or `pusher_internal:`.
    #[error("event names beginning with pusher: or pusher_internal: are reserved for the protocol")]
    Reserved,
}

impl EventName {
    /// Checks a name.
    ///
    /// # Errors
    /// Returns the [`InvalidEventName`] for the rule that the name breaks.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidEventName> {
        let name = name.into();
        if name.is_empty() {
            return Err(InvalidEventName::Empty);
        }
        if name.chars().count() > limits::EVENT_NAME {
            return Err(InvalidEventName::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(InvalidEventName::Control);
        }
        if name.starts_with(names::PUSHER_PREFIX) || name.starts_with(names::INTERNAL_PREFIX) {
            return Err(InvalidEventName::Reserved);
        }
        Ok(Self(name))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventName {
    type Err = InvalidEventName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<&str> for EventName {
    type Error = InvalidEventName;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl TryFrom<String> for EventName {
    type Error = InvalidEventName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl TryFrom<&String> for EventName {
    type Error = InvalidEventName;

    fn try_from(name: &String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<&EventName> for EventName {
    fn from(name: &EventName) -> Self {
        name.clone()
    }
}

impl From<Infallible> for InvalidEventName {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl AsRef<str> for EventName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert!(EventName::new("Internal Notification").is_ok());
        assert!(EventName::new("é".repeat(200)).is_ok());
        assert_eq!(EventName::new("é".repeat(201)), Err(InvalidEventName::TooLong));
        assert_eq!(EventName::new(""), Err(InvalidEventName::Empty));
        assert_eq!(EventName::new("a\nb"), Err(InvalidEventName::Control));
        assert_eq!(EventName::new("pusher:ping"), Err(InvalidEventName::Reserved));
        assert_eq!(EventName::new("pusher_internal:x"), Err(InvalidEventName::Reserved));
    }

    #[test]
    fn only_the_whole_prefix_is_reserved() {
        for name in ["pusher", "pusher_internal", "client-typing", "pushers:news", "news pusher:"] {
            assert!(EventName::new(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_name_converts_from_and_to_text() {
        fn convert(name: impl TryInto<EventName, Error: Into<InvalidEventName>>) -> EventName {
            name.try_into().map_err(Into::into).unwrap()
        }
        let news = EventName::new("news").unwrap();
        assert_eq!("news".parse(), Ok(news.clone()));
        assert_eq!(convert("news"), news);
        assert_eq!(convert("news".to_owned()), news);
        let owned = news.to_string();
        assert_eq!(convert(&owned), news);
        assert_eq!(convert(&news), news);
        assert_eq!((news.as_str(), news.as_ref(), &*news.to_string()), ("news", "news", "news"));
        assert_eq!(format!("{news:?}"), r#""news""#);
        assert_eq!("".parse::<EventName>(), Err(InvalidEventName::Empty));
    }
}
