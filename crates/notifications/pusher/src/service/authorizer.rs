use std::sync::Arc;

use internal_notifications_models::RealtimeInfo;
use internal_notifications_service::{ServiceError, ServiceErrorKind, with_causes};
use pusher_client::{AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization};
use reqwest::Url;

use super::settings::Settings;
use crate::api::{BaseUrl, InboxApi};

/// Returns the authorizer of a user's channel on an inbox server.
pub(crate) fn for_server(
    settings: &Settings,
    api: &Arc<InboxApi>,
    info: &RealtimeInfo,
) -> Result<Arc<dyn Authorizer>, ServiceError> {
    if let Some(authorizer) = &settings.options.authorizer {
        return Ok(Arc::clone(authorizer));
    }
    let (url, is_on_server) = match &settings.options.auth_endpoint {
        Some(url) => (url.clone(), false),
        None => (endpoint_url(api.base(), &info.auth_endpoint)?, is_path(&info.auth_endpoint)),
    };
    Ok(Arc::new(EndpointAuthorizer { api: Arc::clone(api), url, is_on_server }))
}

/// Returns whether the server named an auth endpoint of its own.
pub(crate) fn is_path(named: &str) -> bool {
    named.starts_with('/') && !named.starts_with("//")
}

/// Resolves the auth endpoint that the server named: a path on the server, or a URL.
///
/// The endpoint gets the user's token, so with a server over TLS it must use TLS too.
fn endpoint_url(server: &BaseUrl, named: &str) -> Result<String, ServiceError> {
    if is_path(named) {
        return Ok(server.route(named.trim_start_matches('/'), &[]));
    }
    let protocol = |detail: &str| ServiceError::new(ServiceErrorKind::Protocol, detail);
    let url = Url::parse(named).map_err(|_| protocol("the server named an unusable auth endpoint"))?;
    match (url.scheme(), server.url().scheme()) {
        ("https", _) | ("http", "http") => Ok(url.into()),
        _ => Err(protocol("the server named an auth endpoint without TLS")),
    }
}

/// Calls an auth endpoint with the user's token, with the same HTTP client as every other call.
pub(crate) struct EndpointAuthorizer {
    pub(crate) api: Arc<InboxApi>,
    pub(crate) url: String,
    /// Whether the inbox server itself answers.
    pub(crate) is_on_server: bool,
}

#[async_trait::async_trait]
impl Authorizer for EndpointAuthorizer {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        let form = [("socket_id", request.socket_id.as_str()), ("channel_name", request.channel.as_str())];
        let answer = self.api.post_form(&self.url, &form).await;
        answer.map_err(|error| match self.is_on_server {
            true => authorization_error(error.into()),
            false => authorization_error(error.of_any_endpoint()),
        })
    }
}

pub(crate) fn authorization_error(error: ServiceError) -> AuthorizationError {
    let detail = with_causes(&error);
    match error.kind() {
        ServiceErrorKind::Unauthorized => AuthorizationError::unauthorized(detail),
        ServiceErrorKind::Forbidden => AuthorizationError::forbidden(detail),
        ServiceErrorKind::Unavailable => AuthorizationError::retryable(detail),
        _ => AuthorizationError::permanent(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auth_endpoint_is_a_path_or_a_url_that_protects_the_token_as_well_as_the_server() {
        let base = |text: &str| BaseUrl::parse(text).unwrap();
        let https = base("https://example.org/in");
        assert_eq!(endpoint_url(&https, "/pusher/auth").unwrap(), "https://example.org/in/pusher/auth");
        assert_eq!(endpoint_url(&https, "https://auth.org/x").unwrap(), "https://auth.org/x");
        assert_eq!(endpoint_url(&https, "https://auth.org/x?app=1").unwrap(), "https://auth.org/x?app=1");
        for named in ["", "http://auth.org/x", "//auth.org/x", "ftp://x", "pusher/auth"] {
            assert!(endpoint_url(&https, named).is_err(), "{named}");
        }
        assert!(endpoint_url(&base("http://h"), "http://auth.org/x").is_ok());
    }
}
