use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use internal_notifications_models::UserId;
use serde_json::{Map, Value};

use crate::{ServiceError, ServiceErrorKind};

/// Identifies the user, and provides the token that proves it to the inbox server.
///
/// A service calls it before every request, so it should cache its token. While a service is
/// initialized, the user must stay the same: credentials of another user are refused as
/// [`Unauthorized`](ServiceErrorKind::Unauthorized), so that nobody ever sees another user's inbox.
/// The user may change between [`dispose`] and the next [`init`].
///
/// [`init`]: crate::InternalNotificationsService::init
/// [`dispose`]: crate::InternalNotificationsService::dispose
#[async_trait]
pub trait Identity: Send + Sync {
    /// Returns the user and a token. With `fresh`, the server has just refused the last token, and
    /// a cached one will not do. It is not called with `fresh` again before it has returned.
    ///
    /// # Errors
    /// An error is the result of the call that needed the credentials. One of the kind
    /// [`Unavailable`](ServiceErrorKind::Unavailable) is retried.
    async fn identity(&self, fresh: bool) -> Result<Credentials, ServiceError>;
}

#[async_trait]
impl<I: Identity + ?Sized> Identity for Arc<I> {
    async fn identity(&self, fresh: bool) -> Result<Credentials, ServiceError> {
        (**self).identity(fresh).await
    }
}

#[async_trait]
impl<I: Identity + ?Sized> Identity for Box<I> {
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
    /// Makes credentials of a user and a token.
    ///
    /// # Errors
    /// Returns [`ServiceErrorKind::Unauthorized`] if the token is a JWT whose `sub` is another
    /// user, or if it cannot be sent in a header.
    pub fn new(user_id: UserId, token: impl Into<String>) -> Result<Self, ServiceError> {
        let token = token.into();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unauthorized("the token must be visible ASCII characters without spaces"));
        }
        match subject(&token) {
            Some(subject) if subject != user_id.as_str() => {
                Err(unauthorized("the token belongs to another user (its `sub`)"))
            }
            _ => Ok(Self { user_id, token }),
        }
    }

    /// Makes credentials for a service that needs no token, such as a mock. Their token is empty.
    pub fn without_token(user_id: UserId) -> Self {
        Self { user_id, token: String::new() }
    }

    /// Makes credentials of a JWT; the user is its `sub`. Only the server verifies the signature.
    ///
    /// A token of another kind does not name its user: use [`new`](Self::new) for it.
    ///
    /// # Errors
    /// Returns [`ServiceErrorKind::Unauthorized`] if the token is not a JWT with a `sub`, or if the
    /// `sub` is not a user id.
    pub fn from_token(token: impl Into<String>) -> Result<Self, ServiceError> {
        let token = token.into();
        let subject = subject(&token).ok_or_else(|| {
            unauthorized("the token is not a JWT with a `sub`; name its user with `Credentials::new`")
        })?;
        let user_id = UserId::new(subject).map_err(|_| unauthorized("the token's `sub` is not a user id"))?;
        Self::new(user_id, token)
    }

    /// Returns the user.
    pub fn user_id(&self) -> &UserId {
        &self.user_id
    }

    /// Returns the token.
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Credentials are an identity that never changes. It works until the token expires.
#[async_trait]
impl Identity for Credentials {
    async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
        Ok(self.clone())
    }
}

/// Returns the `sub` of a JWT (RFC 7519) without verifying anything.
fn subject(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

fn unauthorized(message: &str) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unauthorized, message)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

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
        for token in [
            "",
            "a.b",
            "a.b.c.d",
            "a.%.c",
            &jwt("{}"),
            &jwt(r#"{"sub":7}"#),
            &jwt(r#"{"sub":"a b"}"#),
            &jwt(r#"["ada"]"#),
        ] {
            assert!(Credentials::from_token(token).is_err(), "{token}");
        }
    }

    #[test]
    fn credentials_are_an_identity_also_behind_a_pointer() {
        let credentials = Credentials::new(ada(), "opaque").unwrap();
        let shared: Arc<dyn Identity> = Arc::new(credentials.clone());
        let identities: [Box<dyn Identity>; 3] =
            [Box::new(credentials.clone()), Box::new(shared), Box::new(Credentials::without_token(ada()))];
        let mut tokens = Vec::new();
        for identity in identities {
            let found = Box::new(identity).identity(true).now_or_never().unwrap().unwrap();
            assert_eq!(found.user_id(), &ada());
            tokens.push(found.token().to_owned());
        }
        assert_eq!(tokens, ["opaque", "opaque", ""]);
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
