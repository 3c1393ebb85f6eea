use pusher_protocol::{ChannelName, SocketId};

use crate::{Error, ErrorKind};

/// What an [`Authorizer`](super::Authorizer) is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    /// The connection that subscribes.
    pub socket_id: SocketId,
    /// The channel.
    pub channel: ChannelName,
}

impl AuthorizationRequest {
    /// A request; for those who call an authorizer themselves.
    pub fn new(socket_id: SocketId, channel: ChannelName) -> Self {
        Self { socket_id, channel }
    }
}

/// What a [`UserAuthenticator`](super::UserAuthenticator) is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserAuthenticationRequest {
    /// The connection that signs in.
    pub socket_id: SocketId,
}

impl UserAuthenticationRequest {
    /// A request; for those who call a user authenticator themselves.
    pub fn new(socket_id: SocketId) -> Self {
        Self { socket_id }
    }
}

/// Why an authorizer gave no signature. The message is shown to the subscription's holder; it must hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AuthorizationError {
    kind: AuthorizationErrorKind,
    message: String,
}

/// The kinds of [`AuthorizationError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthorizationErrorKind {
    /// Nobody knows who asks, also with a fresh token.
    Unauthorized,
    /// Who asks may not subscribe to this channel.
    Forbidden,
    /// It may work later: a time-out, a server that fails, a network that is down.
    Retryable,
    /// It will not work later: an endpoint that does not exist, an answer that is none.
    Permanent,
}

impl AuthorizationError {
    /// Nobody knows who asks, also with a fresh token: ends the subscription.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self { kind: AuthorizationErrorKind::Unauthorized, message: message.into() }
    }

    /// Who asks may not: ends the subscription.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self { kind: AuthorizationErrorKind::Forbidden, message: message.into() }
    }

    /// To be asked again later.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self { kind: AuthorizationErrorKind::Retryable, message: message.into() }
    }

    /// Will not work later either: ends the subscription.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { kind: AuthorizationErrorKind::Permanent, message: message.into() }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> AuthorizationErrorKind {
        self.kind
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.kind == AuthorizationErrorKind::Retryable
    }
}

/// What the holder of the subscription or the sign-in is told.
impl From<AuthorizationError> for Error {
    fn from(error: AuthorizationError) -> Self {
        let kind = match error.kind {
            AuthorizationErrorKind::Unauthorized => ErrorKind::Unauthorized,
            AuthorizationErrorKind::Forbidden => ErrorKind::Forbidden,
            AuthorizationErrorKind::Retryable => ErrorKind::Server,
            AuthorizationErrorKind::Permanent => ErrorKind::Refused,
        };
        Self::new(kind, error.message)
    }
}
