use std::fmt;
use std::sync::Arc;

use pusher_protocol::{InvalidChannelName, InvalidEventName};

/// The error of the clients.
///
/// [`kind`](Self::kind) is for code to decide on, `Display` for people, and `source` is the cause,
/// such as a host name that does not resolve or a certificate that is not trusted. Errors are equal
/// if kind, code and message are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    code: Option<u16>,
    message: String,
    cause: Cause,
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client is configured wrongly: no host, no authorizer, an unreadable certificate.
    Configuration,
    /// This version does not support the operation.
    Unsupported,
    /// The request breaks one of Pusher's limits or rules; nothing was sent.
    Limit,
    /// The client has ended, or is not connecting.
    Closed,
    /// The text is not a channel name.
    ChannelName,
    /// The text is not an event name, or the name of a client event does not begin with `client-`.
    EventName,
    /// Public channels have no client events.
    PublicChannel,
    /// Encrypted channels have no client events, because those are not encrypted.
    EncryptedChannel,
    /// There is no connection.
    NotConnected,
    /// The server has not confirmed a subscription to the channel.
    NotSubscribed,
    /// The data does not have the requested type.
    Data,
    /// The data of an encrypted channel could not be decrypted.
    Decryption,
    /// The server permanently refused the connection, the subscription or the sign-in.
    Refused,
    /// The server or the auth endpoint could not identify the caller (401).
    Unauthorized,
    /// The caller may not do this (403).
    Forbidden,
    /// The request was malformed (400, and any status without its own kind).
    BadRequest,
    /// The path or app does not exist (404).
    NotFound,
    /// The event is too large (413).
    TooLarge,
    /// There were too many requests (429).
    RateLimited,
    /// There was no answer in time (408, 504, or this client's own timeout).
    Timeout,
    /// The server failed (5xx).
    Server,
    /// The connection broke, or could not be made for a reason without a kind of its own.
    Network,
    /// A host name could not be resolved.
    Dns,
    /// No address of the host accepted a TCP connection: refused, no route, or no answer.
    Unreachable,
    /// The server's certificate is not trusted, has expired, or is for another name.
    Certificate,
    /// The proxy could not be reached, or refused the connection; [`Error::code`] is its HTTP
    /// status, such as 407 if it requires a name and password.
    Proxy,
    /// The server answered the upgrade to WebSocket with this HTTP status, such as 404:
    /// [`Error::code`].
    Upgrade,
    /// The server reported success with an unexpected answer: it may not be a Channels server.
    UnexpectedAnswer,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), cause: Cause::none() }
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    #[cfg(feature = "http")]
    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, message)
    }

    pub(crate) fn with_code(self, code: Option<u16>) -> Self {
        Self { code, ..self }
    }

    pub(crate) fn with_cause(self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: Cause::new(cause), ..self }
    }

    /// Creates an error with the cause of another error, which it replaces.
    #[cfg(feature = "websocket")]
    pub(crate) fn with_shared_cause(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    /// Parses JSON. The error names the position, and does not repeat the data.
    #[cfg(feature = "websocket")]
    pub(crate) fn parse_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Self> {
        serde_json::from_str(json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message =
                format!("the data is not JSON of the requested type (line {line}, column {column})");
            Self::new(ErrorKind::Data, message)
        })
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the HTTP status of the server or proxy, or the code of the WebSocket close or
    /// `pusher:error`, if there was one.
    pub fn code(&self) -> Option<u16> {
        self.code
    }

    /// Returns whether the same attempt may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.get()
    }
}

impl From<InvalidChannelName> for Error {
    fn from(error: InvalidChannelName) -> Self {
        Self::new(ErrorKind::ChannelName, error.to_string())
    }
}

impl From<InvalidEventName> for Error {
    fn from(error: InvalidEventName) -> Self {
        Self::new(ErrorKind::EventName, error.to_string())
    }
}

impl ErrorKind {
    pub(crate) fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Timeout | Self::Server) || self.is_connection()
    }

    /// Returns whether there was no usable connection.
    pub(crate) fn is_connection(self) -> bool {
        use ErrorKind::{Certificate, Dns, Network, Proxy, Unreachable, Upgrade};
        matches!(self, Network | Dns | Unreachable | Certificate | Proxy | Upgrade)
    }

    /// Returns the kind for the status of a failed request (Pusher's HTTP API reference, "HTTP
    /// status codes").
    #[cfg(feature = "http")]
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            407 => Self::Proxy,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            500..=599 => Self::Server,
            _ => Self::BadRequest,
        }
    }
}

/// The cause of an error, if any. It is shared, so that errors can be cloned, and ignored in
/// comparisons.
#[derive(Clone)]
pub(crate) struct Cause(Option<Arc<dyn std::error::Error + Send + Sync>>);

impl Cause {
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Some(cause.into().into()))
    }

    pub(crate) fn get(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_deref().map(|cause| cause as _)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(cause) => fmt::Display::fmt(cause, f),
            None => f.write_str("none"),
        }
    }
}

impl PartialEq for Cause {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Cause {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_the_source_and_not_part_of_the_text() {
        let error = Error::new(ErrorKind::Network, "the server could not be reached")
            .with_cause(std::io::Error::other("no route"));
        assert_eq!(error.to_string(), "the server could not be reached");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no route");
        assert_eq!(error, Error::new(ErrorKind::Network, "the server could not be reached"));
    }

    #[test]
    #[cfg(feature = "http")]
    fn only_temporary_failures_are_retryable() {
        for status in [408, 429, 500, 502, 503, 504, 599] {
            assert!(ErrorKind::of_status(status).is_retryable(), "{status}");
        }
        for status in [302, 400, 401, 402, 403, 404, 405, 413, 422, 600] {
            assert!(!ErrorKind::of_status(status).is_retryable(), "{status}");
        }
    }
}
