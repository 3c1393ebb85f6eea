use async_trait::async_trait;
use internal_notifications_service::ServiceError;

/// Gives the token that goes with a request.
#[async_trait]
pub(crate) trait Bearer: Send + Sync {
    /// The token; with `fresh` the last one was refused.
    async fn token(&self, fresh: bool) -> Result<String, ServiceError>;
}
