//! The traits that sign subscriptions and sign-ins, and two implementations of both.

#[cfg(feature = "http")]
mod http;
mod request;
mod shared;
mod signing;

#[cfg(feature = "http")]
pub use http::{FieldProvider, HttpAuthorizer, HttpAuthorizerBuilder, TokenProvider};
pub use request::{
    AuthorizationError, AuthorizationErrorKind, AuthorizationRequest, UserAuthenticationRequest,
};
pub use signing::SigningAuthorizer;

use pusher_signer::{ChannelAuthorization, UserAuthentication};

/// Authorizes subscriptions to private, presence and encrypted channels.
///
/// The client calls it once per channel and connection, because a signature covers the socket id,
/// and again if an event of an encrypted channel does not decrypt. It calls it on separate tasks,
/// several at a time. It may drop a call, and ignores an answer for a connection that has ended.
#[async_trait::async_trait]
pub trait Authorizer: Send + Sync {
    /// Authorizes one subscription.
    ///
    /// # Errors
    /// Return an error of kind [`Retryable`](AuthorizationErrorKind::Retryable) to be called again
    /// with backoff. Any other kind ends the subscription with that error.
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError>;
}

/// Authenticates the user that a connection signs in as. The client calls it once per connection,
/// in the same way as an [`Authorizer`].
#[async_trait::async_trait]
pub trait UserAuthenticator: Send + Sync {
    /// Authenticates the user of a connection.
    ///
    /// # Errors
    /// As [`Authorizer::authorize`], for the sign-in.
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError>;
}
