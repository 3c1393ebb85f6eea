use std::sync::Arc;

use internal_notifications_models::RealtimeInfo;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::{AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization};

use crate::api::InboxApi;
use crate::refusal::Refusal;
use crate::settings::Settings;

/// Who authorizes the channel of a user of an inbox server.
pub(crate) fn of_server(
    settings: &Settings,
    api: &Arc<InboxApi>,
    info: &RealtimeInfo,
) -> Result<Arc<dyn Authorizer>, ServiceError> {
    if let Some(authorizer) = &settings.authorizer {
        return Ok(Arc::clone(authorizer));
    }
    let url = match &settings.auth_endpoint {
        Some(url) => url.clone(),
        None => api.base().endpoint(&info.auth_endpoint)?,
    };
    Ok(Arc::new(InboxAuthorizer { api: Arc::clone(api), url }))
}

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
        self.api.post_form(&self.url, &form).await.map_err(|refusal| denied(&refusal))
    }
}

/// What a refused call means to the client that needed a signature.
pub(crate) fn denied(refusal: &Refusal) -> AuthorizationError {
    let detail = refusal.error.to_string();
    match refusal.error.kind() {
        ServiceErrorKind::Unauthorized => AuthorizationError::unauthorized(detail),
        ServiceErrorKind::Forbidden => AuthorizationError::forbidden(detail),
        ServiceErrorKind::Unavailable => AuthorizationError::retryable(detail),
        _ => AuthorizationError::permanent(detail),
    }
}
