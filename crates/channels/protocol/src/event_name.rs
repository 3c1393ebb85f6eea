use std::fmt;

use crate::limits;

/// The event names that the protocol itself uses.
pub mod names {
    /// The first event of a connection.
    pub const CONNECTION_ESTABLISHED: &str = "pusher:connection_established";
    /// An error; the connection may stay open.
    pub const ERROR: &str = "pusher:error";
    /// Asks the other side for a sign of life.
    pub const PING: &str = "pusher:ping";
    /// The answer to a ping.
    pub const PONG: &str = "pusher:pong";
    /// Client to server.
    pub const SUBSCRIBE: &str = "pusher:subscribe";
    /// Client to server; not confirmed.
    pub const UNSUBSCRIBE: &str = "pusher:unsubscribe";
    /// Server to client.
    pub const SUBSCRIPTION_SUCCEEDED: &str = "pusher_internal:subscription_succeeded";
    /// Sent by some servers (soketi) for a refused subscription; pusher.com sends [`ERROR`].
    pub const SUBSCRIPTION_ERROR: &str = "pusher:subscription_error";
    /// Client to server: the connection is a user's.
    pub const SIGNIN: &str = "pusher:signin";
    /// Server to client: the user was taken.
    pub const SIGNIN_SUCCESS: &str = "pusher:signin_success";
    /// Server to client, on a presence channel: a user's first connection subscribed.
    pub const MEMBER_ADDED: &str = "pusher_internal:member_added";
    /// Server to client, on a presence channel: a user's last connection left.
    pub const MEMBER_REMOVED: &str = "pusher_internal:member_removed";
    /// Server to client: how many connections subscribe to a channel.
    pub const SUBSCRIPTION_COUNT: &str = "pusher_internal:subscription_count";
    /// Server to client: a cache channel keeps no event.
    pub const CACHE_MISS: &str = "pusher:cache_miss";
    /// Server to client: which users of the watchlist came and went.
    pub const WATCHLIST_EVENTS: &str = "pusher_internal:watchlist_events";
    /// The channel of a signed-in user is this and the user's id.
    pub const SERVER_TO_USER_PREFIX: &str = "#server-to-user-";
    /// Events whose name begins so come from clients.
    pub const CLIENT_PREFIX: &str = "client-";
    /// Events whose name begins so belong to the protocol.
    pub const PUSHER_PREFIX: &str = "pusher:";
    /// Events whose name begins so are between server and client library.
    pub const INTERNAL_PREFIX: &str = "pusher_internal:";
}

/// The name of an application's event, checked: 1 to 200 characters, none of them a control character, not in the
/// protocol's own name spaces `pusher:` and `pusher_internal:`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventName(String);

/// Why a text is no event name for an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEventName {
    /// It has no characters.
    #[error("an event name must not be empty")]
    Empty,
    /// It has more than [`limits::EVENT_NAME`] characters.
    #[error("an event name has at most {} characters", limits::EVENT_NAME)]
    TooLong,
    /// It has a control character.
    #[error("an event name has no control characters")]
    Control,
    /// It begins with `pusher:` or `pusher_internal:`.
    #[error("event names that begin with pusher: or pusher_internal: belong to the protocol")]
    Reserved,
}

impl EventName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`InvalidEventName`] says which rule it breaks.
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

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
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
}
