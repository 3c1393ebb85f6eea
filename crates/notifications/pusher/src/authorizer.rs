use std::sync::Arc;

use internal_notifications_service::ServiceErrorKind;
use pusher_client::{AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization};

use crate::api::InboxApi;

/// Asks the auth endpoint with the user's token, over the same [`Http`](crate::Http) as every other call.
pub(crate) struct InboxAuthorizer {
    pub(crate) api: Arc<InboxApi>,
    pub(crate) url: String,
}

#[async_trait::async_trait]
impl Authorizer for InboxAuthorizer {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        let form = [("socket_id", request.socket_id.as_str()), ("channel_name", request.channel.as_str())];
        self.api.post_form(&self.url, &form).await.map_err(|refusal| {
            let detail = refusal.error.to_string();
            match refusal.error.kind() {
                ServiceErrorKind::Unauthorized => AuthorizationError::unauthorized(detail),
                ServiceErrorKind::Forbidden => AuthorizationError::forbidden(detail),
                ServiceErrorKind::Unavailable => AuthorizationError::retryable(detail),
                _ => AuthorizationError::permanent(detail),
            }
        })
    }
}
