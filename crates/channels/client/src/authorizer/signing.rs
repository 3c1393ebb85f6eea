use pusher_protocol::ChannelName;
use pusher_signer::{ChannelAuthorization, Signer, UserAuthentication};
use serde_json::json;

use super::{
    AuthorizationError, AuthorizationRequest, Authorizer, UserAuthenticationRequest, UserAuthenticator,
};

/// An authorizer that signs in this process. Only for backends and tests: it needs the app's
/// secret, which must never be on a user's device.
///
/// Presence channels and sign-ins need a [user](Self::as_user).
#[derive(Clone, Debug)]
pub struct SigningAuthorizer {
    signer: Signer,
    user_id: Option<String>,
}

impl SigningAuthorizer {
    /// Creates an authorizer that signs with `signer`.
    pub fn new(signer: Signer) -> Self {
        Self { signer, user_id: None }
    }

    /// Sets the user for presence channels and sign-ins.
    #[must_use]
    pub fn as_user(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    fn channel_data(&self, channel: &ChannelName) -> Option<String> {
        let user_id = self.user_id.as_ref().filter(|_| channel.kind().is_presence())?;
        Some(json!({ "user_id": user_id }).to_string())
    }
}

#[async_trait::async_trait]
impl Authorizer for SigningAuthorizer {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        let channel_data = self.channel_data(&request.channel);
        self.signer.authorize_channel(&request.socket_id, &request.channel, channel_data.as_deref()).map_err(
            |error| AuthorizationError::permanent("the subscription cannot be signed").with_source(error),
        )
    }
}

#[async_trait::async_trait]
impl UserAuthenticator for SigningAuthorizer {
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError> {
        let user_data = json!({ "id": self.user_id.as_deref().unwrap_or_default() }).to_string();
        self.signer.authenticate_user(&request.socket_id, &user_data).map_err(|error| {
            let message = "the sign-in cannot be signed: set a user with SigningAuthorizer::as_user";
            AuthorizationError::permanent(message).with_source(error)
        })
    }
}
