use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use internal_notifications_models::UserId;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use serde::Deserialize;

/// Says who the user is, and gives the token that proves it to the inbox server.
///
/// It is asked before every call, so it should hand out a token that it keeps; with `fresh` set the server refused the last one (401), and a
/// kept one will not do. It may name another user only after [`dispose`] and before the next [`init`]: while a service runs, credentials of
/// another user are refused as [`ServiceErrorKind::Unauthorized`], so that nobody ever sees another one's inbox.
///
/// [`init`]: internal_notifications_service::InternalNotificationsService::init
/// [`dispose`]: internal_notifications_service::InternalNotificationsService::dispose
#[async_trait]
pub trait Identity: Send + Sync {
    /// The user and a token.
    ///
    /// # Errors
    /// Count as the outcome of the call that needed it: [`ServiceErrorKind::Unavailable`] is tried again.
    async fn identity(&self, fresh: bool) -> Result<Credentials, ServiceError>;
}

#[async_trait]
impl<I: Identity + ?Sized> Identity for Arc<I> {
    async fn identity(&self, fresh: bool) -> Result<Credentials, ServiceError> {
        (**self).identity(fresh).await
    }
}

/// A user and the token that proves it. `Debug` does not show the token.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user_id: UserId,
    token: String,
}

impl Credentials {
    /// A user and a token.
    ///
    /// # Errors
    /// [`ServiceErrorKind::Unauthorized`] when the token is a JWT whose `sub` is another user, or cannot stand in a header.
    pub fn new(user_id: UserId, token: impl Into<String>) -> Result<Self, ServiceError> {
        let token = token.into();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused("the token must be visible ASCII characters without spaces"));
        }
        match subject(&token) {
            Some(subject) if subject != user_id.as_str() => {
                Err(refused("the token belongs to another user (its `sub`)"))
            }
            _ => Ok(Self { user_id, token }),
        }
    }

    /// A user where nothing needs a token.
    pub(crate) fn without_token(user_id: UserId) -> Self {
        Self { user_id, token: String::new() }
    }

    /// The user that a JWT names as its `sub`, and the token. Its signature is for the server to verify.
    ///
    /// # Errors
    /// [`ServiceErrorKind::Unauthorized`] when it is no JWT, or its `sub` is no user id.
    pub fn from_token(token: impl Into<String>) -> Result<Self, ServiceError> {
        let token = token.into();
        let subject = subject(&token).ok_or_else(|| refused("the token is no JWT with a `sub`"))?;
        let user_id = UserId::new(subject).map_err(|_| refused("the token's `sub` is no user id"))?;
        Self::new(user_id, token)
    }

    /// The user.
    pub fn user_id(&self) -> &UserId {
        &self.user_id
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Credentials that never change are an identity. Once their token has expired, so has this identity.
#[async_trait]
impl Identity for Credentials {
    async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
        Ok(self.clone())
    }
}

/// The `sub` of a JWT (RFC 7519), read without verifying anything.
fn subject(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice::<Claims>(&payload).ok().map(|claims| claims.sub)
}

fn refused(detail: &str) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unauthorized, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims))
    }

    fn ada() -> UserId {
        UserId::new("ada").unwrap()
    }

    #[test]
    fn a_token_of_another_user_is_refused() {
        assert!(Credentials::new(ada(), jwt(r#"{"sub":"ada"}"#)).is_ok());
        assert!(Credentials::new(ada(), "opaque").is_ok());
        let error = Credentials::new(ada(), jwt(r#"{"sub":"bob"}"#)).unwrap_err();
        assert_eq!(error.kind(), ServiceErrorKind::Unauthorized);
    }

    #[test]
    fn the_user_comes_from_the_token() {
        let credentials = Credentials::from_token(jwt(r#"{"sub":"ada","exp":1}"#)).unwrap();
        assert_eq!(credentials.user_id(), &ada());
        for token in
            ["", "a.b", "a.b.c.d", "a.%.c", &jwt("{}"), &jwt(r#"{"sub":7}"#), &jwt(r#"{"sub":"a b"}"#)]
        {
            assert!(Credentials::from_token(token).is_err(), "{token}");
        }
    }

    #[test]
    fn a_token_that_would_break_a_header_is_refused() {
        for token in ["", "a b", "a\r\nx: y", "é"] {
            assert!(Credentials::new(ada(), token).is_err(), "{token:?}");
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let credentials = Credentials::new(ada(), "hidden").unwrap();
        assert!(!format!("{credentials:?}").contains("hidden"));
    }
}
