use std::fmt;

use pusher_protocol::{ChannelName, SocketId};

use crate::error::Cause;
use crate::{Error, ErrorKind};

/// The request to an [`Authorizer`](super::Authorizer).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    /// The connection that subscribes.
    pub socket_id: SocketId,
    /// The channel.
    pub channel: ChannelName,
}

impl AuthorizationRequest {
    /// Creates a request, to call an authorizer yourself.
    pub fn new(socket_id: SocketId, channel: ChannelName) -> Self {
        Self { socket_id, channel }
    }
}

/// The request to a [`UserAuthenticator`](super::UserAuthenticator).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserAuthenticationRequest {
    /// The connection that signs in.
    pub socket_id: SocketId,
}

impl UserAuthenticationRequest {
    /// Creates a request, to call a user authenticator yourself.
    pub fn new(socket_id: SocketId) -> Self {
        Self { socket_id }
    }
}

/// The error of an authorizer. It becomes the error of the subscription or sign-in, so the message
/// must not contain secrets. Errors are equal if kind and message are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationError {
    kind: AuthorizationErrorKind,
    message: String,
    cause: Cause,
}

/// The kind of an [`AuthorizationError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthorizationErrorKind {
    /// The caller could not be identified, even with a fresh token.
    Unauthorized,
    /// The caller may not subscribe to this channel.
    Forbidden,
    /// A retry may succeed: a timeout, a server error, a network that is down.
    Retryable,
    /// A retry cannot succeed: the endpoint does not exist, or its answer is not an authorization.
    Permanent,
}

impl AuthorizationError {
    /// Creates an error for a caller that could not be identified. It ends the subscription.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(AuthorizationErrorKind::Unauthorized, message)
    }

    /// Creates an error for a caller that may not subscribe. It ends the subscription.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(AuthorizationErrorKind::Forbidden, message)
    }

    /// Creates an error after which the client asks again, with backoff.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::new(AuthorizationErrorKind::Retryable, message)
    }

    /// Creates an error that a retry cannot fix. It ends the subscription.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(AuthorizationErrorKind::Permanent, message)
    }

    fn new(kind: AuthorizationErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: Cause::none() }
    }

    /// Sets the cause, which becomes the `source`.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: Cause::new(source), ..self }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> AuthorizationErrorKind {
        self.kind
    }

    /// Returns whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.kind == AuthorizationErrorKind::Retryable
    }
}

impl fmt::Display for AuthorizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AuthorizationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.get()
    }
}

impl From<AuthorizationError> for Error {
    fn from(error: AuthorizationError) -> Self {
        let kind = match error.kind {
            AuthorizationErrorKind::Unauthorized => ErrorKind::Unauthorized,
            AuthorizationErrorKind::Forbidden => ErrorKind::Forbidden,
            AuthorizationErrorKind::Retryable => ErrorKind::Server,
            AuthorizationErrorKind::Permanent => ErrorKind::Refused,
        };
        Self::new(kind, error.message).with_shared_cause(error.cause)
    }
}
