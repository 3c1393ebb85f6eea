//! Who signs a subscription: the trait, and its two authorizers.

#[cfg(feature = "http")]
mod http;
mod request;
mod signing;

#[cfg(feature = "http")]
pub use http::{HttpAuthorizer, HttpAuthorizerBuilder, TokenProvider};
pub use request::{AuthorizationError, AuthorizationErrorKind, AuthorizationRequest};
pub use signing::SigningAuthorizer;

use pusher_signer::ChannelAuthorization;

/// Gets the signature that a private channel's subscription needs; asked anew for each connection, since each has its own
/// socket id.
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
