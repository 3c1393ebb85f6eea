use std::sync::{Arc, Mutex, PoisonError};

use internal_notifications_models::RealtimeInfo;
use pusher_client::{
    AuthorizationError, SocketId, UserAuthentication, UserAuthenticationRequest, UserAuthenticator,
};

use crate::api::InboxApi;
use crate::authorizer::denied;
use crate::settings::Settings;

/// Who signs the user of an inbox server in: the server itself, if it is the one that signs the channel. Nobody otherwise, since a
/// signature that the engine does not take would cost the whole connection.
pub(crate) fn of_server(
    settings: &Settings,
    api: &Arc<InboxApi>,
    info: &RealtimeInfo,
) -> Option<Arc<dyn UserAuthenticator>> {
    let is_servers = info.auth_endpoint.starts_with('/') && !info.auth_endpoint.starts_with("//");
    if settings.authorizer.is_some() || settings.auth_endpoint.is_some() || !is_servers {
        return None;
    }
    Some(Arc::new(InboxAuthenticator { api: Arc::clone(api), signed: Mutex::default() }))
}

/// Asks the server's route for sign-ins with the user's token.
struct InboxAuthenticator {
    api: Arc<InboxApi>,
    /// The connection that was signed for last, and how often.
    signed: Mutex<Option<(SocketId, u32)>>,
}

/// Signatures for one connection. An engine that does not know sign-ins answers none of them.
const SIGNATURES: u32 = 3;

#[async_trait::async_trait]
impl UserAuthenticator for InboxAuthenticator {
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError> {
        let before = self.signed_for(&request.socket_id);
        if before >= SIGNATURES {
            return Err(AuthorizationError::permanent("the engine does not answer sign-ins"));
        }
        let url = self.api.base().route("pusher/user-auth", &[]);
        let form = [("socket_id", request.socket_id.as_str())];
        let answer = self.api.post_form(&url, &form).await.map_err(|refusal| denied(&refusal))?;
        let signed = Some((request.socket_id.clone(), before + 1));
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = signed;
        Ok(answer)
    }
}

impl InboxAuthenticator {
    fn signed_for(&self, socket_id: &SocketId) -> u32 {
        let signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        signed.as_ref().filter(|(signed_for, _)| signed_for == socket_id).map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use internal_notifications_service::ServiceError;
    use pusher_client::AuthorizationErrorKind;

    use super::*;
    use crate::base_url::BaseUrl;
    use crate::bearer::Bearer;
    use crate::{Http, HttpAnswer, HttpRequest};

    #[derive(Default)]
    struct Signs(AtomicUsize);

    #[async_trait::async_trait]
    impl Http for Signs {
        async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, ServiceError> {
            assert_eq!(request.url, "https://example.org/in/pusher/user-auth");
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(HttpAnswer { status: 200, body: br#"{"auth":"key:00","user_data":"{}"}"#.to_vec() })
        }
    }

    struct Token;

    #[async_trait::async_trait]
    impl Bearer for Token {
        async fn token(&self, _fresh: bool) -> Result<String, ServiceError> {
            Ok("token".to_owned())
        }
    }

    #[tokio::test]
    async fn an_engine_that_answers_no_sign_in_is_not_signed_for_again_and_again() {
        let http = Arc::new(Signs::default());
        let base = BaseUrl::parse("https://example.org/in").unwrap();
        let api = InboxApi::new(http.clone(), base, Arc::new(Token), Duration::from_secs(1));
        let authenticator = InboxAuthenticator { api: Arc::new(api), signed: Mutex::default() };
        let ask = |socket_id: &str| {
            let request = UserAuthenticationRequest::new(socket_id.parse().unwrap());
            let authenticator = &authenticator;
            async move { authenticator.authenticate(&request).await.map(drop).map_err(|error| error.kind()) }
        };
        for _ in 0..SIGNATURES {
            assert_eq!(ask("1.1").await, Ok(()));
        }
        assert_eq!(ask("1.1").await, Err(AuthorizationErrorKind::Permanent));
        assert_eq!(http.0.load(Ordering::Relaxed), 3);
        assert_eq!(ask("1.2").await, Ok(()));
    }
}
