use std::sync::{Arc, Mutex, PoisonError};

use internal_notifications_models::RealtimeInfo;
use pusher_client::{
    AuthorizationError, SocketId, UserAuthentication, UserAuthenticationRequest, UserAuthenticator,
};

use super::authorizer::{authorization_error, is_path};
use super::settings::Settings;
use crate::api::InboxApi;

/// Returns the authenticator that signs the user in, or none if the inbox server does not authorize
/// the channel itself.
///
/// The engine would close the whole connection over a sign-in signature that it does not accept.
pub(crate) fn for_server(
    settings: &Settings,
    api: &Arc<InboxApi>,
    info: &RealtimeInfo,
) -> Option<Arc<dyn UserAuthenticator>> {
    let options = &settings.options;
    if options.authorizer.is_some() || options.auth_endpoint.is_some() || !is_path(&info.auth_endpoint) {
        return None;
    }
    Some(Arc::new(InboxAuthenticator { api: Arc::clone(api), signed: Mutex::default() }))
}

/// Calls the server's sign-in route with the user's token.
struct InboxAuthenticator {
    api: Arc<InboxApi>,
    /// The connection that was last signed in, and how many signatures it got.
    signed: Mutex<Option<(SocketId, u32)>>,
}

/// The most signatures for one connection. An engine that does not know sign-ins ignores them all.
const MAX_SIGNATURES: u32 = 3;

#[async_trait::async_trait]
impl UserAuthenticator for InboxAuthenticator {
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError> {
        let signatures = self.signatures_for(&request.socket_id);
        if signatures >= MAX_SIGNATURES {
            return Err(AuthorizationError::permanent("the engine does not answer sign-ins"));
        }
        let url = self.api.base().route("pusher/user-auth", &[]);
        let form = [("socket_id", request.socket_id.as_str())];
        let authentication = self.api.post_form(&url, &form).await;
        let authentication = authentication.map_err(|error| authorization_error(error.into()))?;
        let signed = Some((request.socket_id.clone(), signatures + 1));
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = signed;
        Ok(authentication)
    }
}

impl InboxAuthenticator {
    fn signatures_for(&self, socket_id: &SocketId) -> u32 {
        let signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        signed.as_ref().filter(|(last, _)| last == socket_id).map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use internal_notifications_service::ServiceError;
    use pusher_client::AuthorizationErrorKind;

    use super::*;
    use crate::api::{BaseUrl, Token, TokenSource};
    use crate::{HttpClient, HttpRequest, HttpResponse};

    #[derive(Default)]
    struct SigningServer(AtomicUsize);

    #[async_trait::async_trait]
    impl HttpClient for SigningServer {
        async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ServiceError> {
            assert_eq!(request.url, "https://example.org/in/pusher/user-auth");
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(HttpResponse::new(200, r#"{"auth":"key:00","user_data":"{}"}"#))
        }
    }

    struct Tokens;

    #[async_trait::async_trait]
    impl TokenSource for Tokens {
        async fn token(&self) -> Result<Token, ServiceError> {
            Ok(Token::new("token", 0))
        }

        async fn replacement(&self, _refused: &Token) -> Result<Option<Token>, ServiceError> {
            Ok(None)
        }

        fn forget_refusals(&self) {}
    }

    #[tokio::test]
    async fn a_connection_whose_sign_ins_are_ignored_gets_three_signatures() {
        let server = Arc::new(SigningServer::default());
        let base = BaseUrl::parse("https://example.org/in").unwrap();
        let api = InboxApi::new(server.clone(), base, Arc::new(Tokens), Duration::from_secs(1));
        let authenticator = InboxAuthenticator { api: Arc::new(api), signed: Mutex::default() };
        let authenticate = |socket_id: &str| {
            let request = UserAuthenticationRequest::new(socket_id.parse().unwrap());
            let authenticator = &authenticator;
            async move { authenticator.authenticate(&request).await.map(drop).map_err(|error| error.kind()) }
        };
        for _ in 0..MAX_SIGNATURES {
            assert_eq!(authenticate("1.1").await, Ok(()));
        }
        assert_eq!(authenticate("1.1").await, Err(AuthorizationErrorKind::Permanent));
        assert_eq!(server.0.load(Ordering::Relaxed), 3);
        assert_eq!(authenticate("1.2").await, Ok(()));
    }
}
