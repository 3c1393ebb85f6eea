use async_trait::async_trait;
use internal_notifications_service::ServiceError;

/// Provides the bearer token of each request.
#[async_trait]
pub(crate) trait TokenSource: Send + Sync {
    /// Returns the token. `fresh` is set if the server rejected the last one.
    async fn token(&self, fresh: bool) -> Result<String, ServiceError>;
}
