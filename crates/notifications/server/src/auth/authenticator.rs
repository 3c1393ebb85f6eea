use async_trait::async_trait;
use internal_notifications_models::UserId;

use super::Principal;

/// Identifies the caller of a request. Implement it to use your app's own login.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Returns the caller that owns this bearer token.
    ///
    /// # Errors
    /// Returns [`AuthError::Unauthenticated`] if the token is unknown or no longer valid, and
    /// [`AuthError::Unavailable`] if it cannot be checked now.
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError>;

    /// Forgets what is remembered about a user's tokens, because a backend closes the user's
    /// connections after a logout. The default does nothing, which suits an authenticator that
    /// remembers no tokens.
    ///
    /// Only the server that receives the request calls it. Where several servers share a database,
    /// an authenticator that remembers tokens must let them expire soon, or learn of logouts
    /// itself.
    fn forget(&self, user_id: &UserId) {
        let _ = user_id;
    }
}

/// Why a caller was not identified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The token is unknown or no longer valid: 401. The text reaches the caller.
    #[error("{0}")]
    Unauthenticated(String),
    /// The token cannot be checked now: 503. The text is only logged.
    #[error("{0}")]
    Unavailable(String),
}
