use std::fmt;

use pusher_protocol::{CloseCode, Reaction};

/// Why there is no connection, or none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The server closed it, or announced that with `pusher:error`; in its words.
    Closed(CloseCode, String),
    /// The server said nothing for too long.
    Silent,
    /// A message was larger than allowed.
    TooBig,
    /// The server does not take what is sent.
    NotReading,
    /// The connection could not be made, or broke.
    Broken(&'static str),
}

impl Loss {
    /// What it demands. A silent server's connection is replaced at once, as after its own 4201.
    pub(crate) fn reaction(&self) -> Reaction {
        match self {
            Self::Closed(code, _) => code.reaction(),
            Self::Silent => Reaction::Reconnect,
            Self::TooBig | Self::NotReading | Self::Broken(_) => Reaction::BackOff,
        }
    }

    pub(crate) fn code(&self) -> Option<CloseCode> {
        match self {
            Self::Closed(code, _) => Some(*code),
            _ => None,
        }
    }

    /// Whether it has a code that the protocol defines, rather than one of WebSocket's, or none.
    pub(crate) fn is_explained(&self) -> bool {
        matches!(self, Self::Closed(CloseCode(4000..), _))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(code, words) if words.is_empty() => {
                write!(f, "the server closed the connection ({code})")
            }
            Self::Closed(code, words) => write!(f, "the server closed the connection ({code}): {words}"),
            Self::Silent => f.write_str("the server was silent for too long"),
            Self::TooBig => f.write_str("the server sent a message that is too large"),
            Self::NotReading => f.write_str("the server does not read"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}
