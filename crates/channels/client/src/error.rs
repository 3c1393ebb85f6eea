/// What went wrong, in a form that can be matched, and in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    code: Option<u16>,
    message: String,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client was set up wrongly: no host, no authorizer, an unreadable certificate.
    Configuration,
    /// This version cannot do it.
    Unsupported,
    /// One of Pusher's limits, or a rule on what may be asked, would be broken; nothing was sent.
    Limit,
    /// The client has ended.
    Closed,
    /// A client event's name does not begin with `client-`, or is no event name at all.
    EventName,
    /// Client events are for private and presence channels only.
    PublicChannel,
    /// Client events are not encrypted, so encrypted channels have none.
    EncryptedChannel,
    /// There is no connection.
    NotConnected,
    /// The channel is not subscribed to, or not confirmed yet.
    NotSubscribed,
    /// The data is not of the shape that was asked for.
    Data,
    /// The data of an encrypted channel could not be read.
    Decryption,
    /// The server refused the connection, the subscription or the sign-in for good.
    Refused,
    /// The server or the auth endpoint did not know who asks (401).
    Unauthorized,
    /// Who asks may not (403).
    Forbidden,
    /// The request was not understood (400 and what has no kind of its own).
    BadRequest,
    /// There is no such path or app (404).
    NotFound,
    /// The event is too large (413).
    TooLarge,
    /// Too many requests (429).
    RateLimited,
    /// No answer in time (408, 504, or this side's own limit).
    Timeout,
    /// The server failed (5xx).
    Server,
    /// The server could not be reached, or the connection broke.
    Network,
    /// The server said yes, in a way that is not documented: what answered is perhaps no Channels server.
    UnexpectedAnswer,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into() }
    }

    /// A JSON text as a value.
    #[cfg(feature = "websocket")]
    pub(crate) fn reading<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Self> {
        serde_json::from_str(json)
            .map_err(|_| Self::new(ErrorKind::Data, "the data is no JSON of the shape that was asked for"))
    }

    pub(crate) fn with_code(self, code: Option<u16>) -> Self {
        Self { code, ..self }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The HTTP status, or the code of the WebSocket close or `pusher:error`, that the server gave.
    pub fn code(&self) -> Option<u16> {
        self.code
    }

    /// Whether the same attempt may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }
}

impl ErrorKind {
    pub(crate) fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Timeout | Self::Server | Self::Network)
    }

    /// The kind of an answer that was no success (Pusher's HTTP API reference, "HTTP status codes").
    #[cfg(feature = "http")]
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            500..=599 => Self::Server,
            _ => Self::BadRequest,
        }
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_retryable() {
        for status in [408, 429, 500, 502, 503, 504, 599] {
            assert!(ErrorKind::of_status(status).is_retryable(), "{status}");
        }
        for status in [302, 400, 401, 402, 403, 404, 405, 413, 422, 600] {
            assert!(!ErrorKind::of_status(status).is_retryable(), "{status}");
        }
    }
}
