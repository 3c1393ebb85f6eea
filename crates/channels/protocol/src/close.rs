use std::fmt;

/// A WebSocket close code with the meaning that the protocol gives it (Pusher's "connection
/// closure").
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

/// The required reaction of a client to a close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reaction {
    /// Do not reconnect with the same parameters: the server would refuse them again.
    Stop,
    /// Reconnect with [`Backoff`](crate::Backoff); after 4100 to 4199 wait at least a second.
    BackOff,
    /// Reconnect at once.
    Reconnect,
}

impl CloseCode {
    /// The peer goes away (RFC 6455).
    pub const GOING_AWAY: Self = Self(1001);
    /// The frame has an unsupported type, such as binary (RFC 6455).
    pub const UNSUPPORTED: Self = Self(1003);
    /// The message is too large (RFC 6455).
    pub const TOO_BIG: Self = Self(1009);
    /// The app accepts only TLS connections.
    pub const TLS_REQUIRED: Self = Self(4000);
    /// No app has this key, at least not in this cluster.
    pub const UNKNOWN_APP: Self = Self(4001);
    /// The app is disabled.
    pub const APP_DISABLED: Self = Self(4003);
    /// The app has reached its number of connections.
    pub const CONNECTION_QUOTA: Self = Self(4004);
    /// The URL's path does not exist.
    pub const PATH_NOT_FOUND: Self = Self(4005);
    /// The URL's parameter `version` is malformed.
    pub const INVALID_VERSION: Self = Self(4006);
    /// The URL's parameter `protocol` names an unsupported version.
    pub const UNSUPPORTED_PROTOCOL: Self = Self(4007);
    /// The URL has no parameter `protocol`.
    pub const NO_PROTOCOL: Self = Self(4008);
    /// The connection was not authorized, or not in time.
    pub const UNAUTHORIZED: Self = Self(4009);
    /// The server is over capacity.
    pub const OVER_CAPACITY: Self = Self(4100);
    /// Reconnect, for example because the server shuts down.
    pub const RECONNECT: Self = Self(4200);
    /// The client did not answer a ping in time.
    pub const PONG_MISSING: Self = Self(4201);
    /// The connection was idle for a day.
    pub const INACTIVE: Self = Self(4202);
    /// The client sent too many client events.
    pub const CLIENT_EVENT_RATE: Self = Self(4301);
    /// The watchlist is too long; the server watches its first users.
    pub const WATCHLIST_LIMIT: Self = Self(4302);

    /// Returns what the client must do: stop after 4000 to 4099 and from 4300, reconnect at once
    /// after 4200 to 4299, and back off after any other code.
    pub fn reaction(self) -> Reaction {
        match self.0 {
            4000..=4099 | 4300..=4999 => Reaction::Stop,
            4200..=4299 => Reaction::Reconnect,
            _ => Reaction::BackOff,
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_decides_the_reaction() {
        for (code, reaction) in [
            (1000, Reaction::BackOff),
            (1006, Reaction::BackOff),
            (3999, Reaction::BackOff),
            (4000, Reaction::Stop),
            (4099, Reaction::Stop),
            (4100, Reaction::BackOff),
            (4199, Reaction::BackOff),
            (4200, Reaction::Reconnect),
            (4299, Reaction::Reconnect),
            (4300, Reaction::Stop),
            (4301, Reaction::Stop),
        ] {
            assert_eq!(CloseCode(code).reaction(), reaction, "{code}");
        }
    }

    #[test]
    fn a_code_is_shown_as_its_number() {
        assert_eq!(CloseCode::RECONNECT.to_string(), "4200");
        assert_eq!(format!("{:?}", CloseCode::RECONNECT), "CloseCode(4200)");
    }
}
