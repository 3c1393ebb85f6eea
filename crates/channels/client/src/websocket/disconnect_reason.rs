use std::fmt;

use pusher_protocol::{CloseCode, Reaction};

use crate::{Error, ErrorKind};

/// The reason why a connection could not be made, or has ended.
#[derive(Clone, Debug)]
pub(crate) enum DisconnectReason {
    /// The server closed the connection with this code, or announced it with `pusher:error`; its
    /// message.
    Closed(CloseCode, String),
    /// The server did not answer a ping in time.
    PongTimeout,
    /// The server sent a message above the size limit.
    MessageTooLarge,
    /// The server does not read what the client sends.
    NotReading,
    /// The connection could not be made, or broke.
    Failed(Error),
}

impl DisconnectReason {
    pub(crate) fn failed(message: &str) -> Self {
        Self::Failed(Error::new(ErrorKind::Network, message))
    }

    /// Returns what to do next.
    pub(crate) fn reaction(&self) -> Reaction {
        match self {
            Self::Closed(code, _) => code.reaction(),
            Self::PongTimeout => Reaction::Reconnect,
            Self::MessageTooLarge | Self::NotReading | Self::Failed(_) => Reaction::BackOff,
        }
    }

    pub(crate) fn code(&self) -> Option<CloseCode> {
        match self {
            Self::Closed(code, _) => Some(*code),
            _ => None,
        }
    }

    /// Returns whether there is a close code of the Pusher protocol.
    pub(crate) fn has_pusher_code(&self) -> bool {
        matches!(self, Self::Closed(CloseCode(4000..), _))
    }

    /// Returns the error to report to the application.
    pub(crate) fn to_error(&self) -> Error {
        let kind = match self {
            Self::Failed(error) => return error.clone(),
            Self::Closed(code, _) if code.reaction() == Reaction::Stop => ErrorKind::Refused,
            Self::Closed(CloseCode(4000..), _) => ErrorKind::Server,
            Self::PongTimeout => ErrorKind::Timeout,
            Self::Closed(..) | Self::MessageTooLarge | Self::NotReading => ErrorKind::Network,
        };
        Error::new(kind, self.to_string()).with_code(self.code().map(|code| code.0))
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(code, message) if message.is_empty() => {
                write!(f, "the server closed the connection ({code})")
            }
            Self::Closed(code, message) => write!(f, "the server closed the connection ({code}): {message}"),
            Self::PongTimeout => f.write_str("the server did not answer a ping in time"),
            Self::MessageTooLarge => f.write_str("the server sent a message that is too large"),
            Self::NotReading => f.write_str("the server does not read what is sent"),
            Self::Failed(error) => fmt::Display::fmt(error, f),
        }
    }
}
