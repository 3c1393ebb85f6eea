use pusher_signer::{ChannelAuthorization, PresenceData, Signer, UserAuthentication, UserData};
use serde::Serialize;
use serde_json::Value;

use super::{
    AuthorizationError, AuthorizationRequest, Authorizer, UserAuthenticationRequest, UserAuthenticator,
};
use crate::{Error, ErrorKind};

/// An authorizer that signs in this process. Only for backends and tests: it needs the app's
/// secret, which must never be on a user's device.
///
/// Presence channels and sign-ins need a [user](Self::as_user). `Debug` shows neither secret nor
/// user info.
#[derive(Clone)]
pub struct SigningAuthorizer {
    signer: Signer,
    user_id: Option<String>,
    user_info: Option<Value>,
    watchlist: Vec<String>,
}

impl SigningAuthorizer {
    /// Creates an authorizer that signs with `signer`.
    pub fn new(signer: Signer) -> Self {
        Self { signer, user_id: None, user_info: None, watchlist: Vec::new() }
    }

    /// Sets the user for presence channels and sign-ins.
    #[must_use]
    pub fn as_user(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    /// Sets what the members of presence channels are shown of the user, such as a name.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Data`] if it cannot be written as JSON. If it takes more than 1,024
    /// bytes, subscriptions to presence channels and sign-ins fail.
    pub fn user_info(mut self, info: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let info = serde_json::to_value(info).map_err(|error| {
            Error::new(ErrorKind::Data, "the user info cannot be written as JSON").with_cause(error)
        })?;
        self.user_info = Some(info);
        Ok(self)
    }

    /// Sets the users whose presence the signed-in user is told of, at most 100.
    #[must_use]
    pub fn watchlist(mut self, users: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.watchlist = users.into_iter().map(Into::into).collect();
        self
    }

    fn authorize_presence(
        &self,
        request: &AuthorizationRequest,
        user_id: &str,
    ) -> Result<ChannelAuthorization, pusher_signer::Error> {
        let mut data = PresenceData::new(user_id)?;
        if let Some(info) = &self.user_info {
            data = data.with_info(info)?;
        }
        self.signer.authorize_presence(&request.socket_id, &request.channel, &data)
    }

    fn sign_in(
        &self,
        request: &UserAuthenticationRequest,
        user_id: &str,
    ) -> Result<UserAuthentication, pusher_signer::Error> {
        let mut user = UserData::new(user_id)?.with_watchlist(&self.watchlist)?;
        if let Some(info) = &self.user_info {
            user = user.with_info(info)?;
        }
        self.signer.sign_in(&request.socket_id, &user)
    }
}

#[async_trait::async_trait]
impl Authorizer for SigningAuthorizer {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        let user_id = self.user_id.as_deref().filter(|_| request.channel.kind().is_presence());
        let signed = match user_id {
            Some(user_id) => self.authorize_presence(request, user_id),
            None => self.signer.authorize_channel(&request.socket_id, &request.channel, None),
        };
        signed.map_err(|error| {
            AuthorizationError::permanent("the subscription cannot be signed").with_source(error)
        })
    }
}

#[async_trait::async_trait]
impl UserAuthenticator for SigningAuthorizer {
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError> {
        let Some(user_id) = &self.user_id else {
            let message = "the sign-in cannot be signed: set a user with SigningAuthorizer::as_user";
            return Err(AuthorizationError::permanent(message));
        };
        self.sign_in(request, user_id)
            .map_err(|error| AuthorizationError::permanent("the sign-in cannot be signed").with_source(error))
    }
}

impl std::fmt::Debug for SigningAuthorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningAuthorizer")
            .field("signer", &self.signer)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use pusher_protocol::SocketId;
    use serde_json::json;

    use super::*;

    fn authorizer() -> SigningAuthorizer {
        let authorizer = SigningAuthorizer::new(Signer::new("key", "secret")).as_user("ada");
        authorizer.user_info(&json!({"name": "Ada"})).unwrap().watchlist(["bob"])
    }

    #[tokio::test]
    async fn user_info_and_watchlist_are_signed() {
        let socket_id = SocketId::from_parts(1, 2);
        let request = AuthorizationRequest::new(socket_id.clone(), "presence-room".parse().unwrap());
        let joined = authorizer().authorize(&request).await.unwrap();
        assert_eq!(joined.channel_data.unwrap(), r#"{"user_id":"ada","user_info":{"name":"Ada"}}"#);
        let signed = authorizer().authenticate(&UserAuthenticationRequest::new(socket_id)).await.unwrap();
        assert_eq!(signed.user_data, r#"{"id":"ada","user_info":{"name":"Ada"},"watchlist":["bob"]}"#);
    }

    #[tokio::test]
    async fn more_than_pusher_allows_is_not_signed() {
        let socket_id = SocketId::from_parts(1, 2);
        let request = UserAuthenticationRequest::new(socket_id);
        let many = authorizer().watchlist((0..101).map(|number| number.to_string()));
        assert!(many.authenticate(&request).await.is_err());
        let long = authorizer().user_info(&"x".repeat(1_024)).unwrap();
        assert!(long.authenticate(&request).await.is_err());
    }

    #[test]
    fn debug_shows_neither_secret_nor_user_info() {
        let text = format!("{:?}", authorizer());
        assert!(!text.contains("secret") && !text.contains("Ada"), "{text}");
    }
}
