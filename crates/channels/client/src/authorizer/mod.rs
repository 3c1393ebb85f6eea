//! Who signs subscriptions and sign-ins: the traits, and the two that do both.

#[cfg(feature = "http")]
mod http;
mod request;
mod signing;

#[cfg(feature = "http")]
pub use http::{FieldProvider, HttpAuthorizer, HttpAuthorizerBuilder, TokenProvider};
pub use request::{
    AuthorizationError, AuthorizationErrorKind, AuthorizationRequest, UserAuthenticationRequest,
};
pub use signing::SigningAuthorizer;

use std::sync::Arc;

use pusher_signer::{ChannelAuthorization, UserAuthentication};

/// Gets the signature that a private channel's subscription needs; asked anew for each connection, since each has its own
/// socket id, and once more when an encrypted channel's key does not fit any longer.
///
/// It is called on a task of its own, several at a time, and never for a channel that needs none. An answer that comes
/// after its connection has ended is not used, and the call may be dropped midway.
#[async_trait::async_trait]
pub trait Authorizer: Send + Sync {
    /// Authorizes one subscription.
    ///
    /// # Errors
    /// The error's kind decides: [`Retryable`](AuthorizationErrorKind::Retryable) is asked again with backoff, every
    /// other kind ends the subscription and is told to its holder.
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError>;
}

/// Gives the signature that makes a connection a user's; asked anew for each connection, in the same way as an
/// [`Authorizer`].
#[async_trait::async_trait]
pub trait UserAuthenticator: Send + Sync {
    /// Says whose the connection is.
    ///
    /// # Errors
    /// As [`Authorizer::authorize`], for the sign-in.
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError>;
}

#[async_trait::async_trait]
impl<A: Authorizer + ?Sized> Authorizer for Arc<A> {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        (**self).authorize(request).await
    }
}

#[async_trait::async_trait]
impl<A: UserAuthenticator + ?Sized> UserAuthenticator for Arc<A> {
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError> {
        (**self).authenticate(request).await
    }
}
