use std::fmt;

/// A WebSocket close code, as the protocol uses them (Pusher's "connection closure").
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

/// What a close code demands of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// The server would refuse the same parameters again: stop.
    Stop,
    /// Come back after a wait that grows each time; with 4100–4199 after at least a second.
    BackOff,
    /// Come back at once.
    AtOnce,
}

impl CloseCode {
    /// The peer went away.
    pub const GOING_AWAY: Self = Self(1001);
    /// The frame was of a kind that is not supported (binary).
    pub const UNSUPPORTED: Self = Self(1003);
    /// A message was too big.
    pub const TOO_BIG: Self = Self(1009);
    /// The app wants TLS.
    pub const TLS_REQUIRED: Self = Self(4000);
    /// No app has this key (on this cluster).
    pub const UNKNOWN_APP: Self = Self(4001);
    /// The app is disabled.
    pub const APP_DISABLED: Self = Self(4003);
    /// The app has as many connections as it may.
    pub const CONNECTION_QUOTA: Self = Self(4004);
    /// The path is not one of a Channels server.
    pub const PATH_NOT_FOUND: Self = Self(4005);
    /// The `version` parameter is malformed.
    pub const INVALID_VERSION: Self = Self(4006);
    /// The `protocol` is not supported.
    pub const UNSUPPORTED_PROTOCOL: Self = Self(4007);
    /// No `protocol` was given.
    pub const NO_PROTOCOL: Self = Self(4008);
    /// The connection was not authorized, or not in time.
    pub const UNAUTHORIZED: Self = Self(4009);
    /// The server has no room now.
    pub const OVER_CAPACITY: Self = Self(4100);
    /// Reconnect; the server shuts down, say.
    pub const RECONNECT: Self = Self(4200);
    /// A ping was not answered in time.
    pub const PONG_MISSING: Self = Self(4201);
    /// The connection was idle for a day.
    pub const INACTIVE: Self = Self(4202);
    /// Client events came too fast.
    pub const CLIENT_EVENT_RATE: Self = Self(4301);
    /// A watchlist names more users than it may; the first of them are watched.
    pub const WATCHLIST_LIMIT: Self = Self(4302);

    /// The reaction that the code's range demands: 4000–4099 and from 4300 stop, 4200–4299 at once, all else (4100–4199,
    /// the WebSocket codes below 4000, no code at all) backs off.
    pub fn reaction(self) -> Reaction {
        match self.0 {
            4000..=4099 | 4300..=4999 => Reaction::Stop,
            4200..=4299 => Reaction::AtOnce,
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
            (4200, Reaction::AtOnce),
            (4299, Reaction::AtOnce),
            (4300, Reaction::Stop),
            (4301, Reaction::Stop),
        ] {
            assert_eq!(CloseCode(code).reaction(), reaction, "{code}");
        }
    }
}
