use std::sync::Arc;

use async_trait::async_trait;

use super::Principal;
use super::api_keys::ApiKeys;
use super::jwt::TokenCheck;
use crate::Clock;
use crate::config::{ApiKey, JwtKey, RequiredClaims};

/// Tells who calls from the bearer of the request.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Who has this bearer.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`] when nobody has, or no more; [`AuthError::Unavailable`] when that cannot be told now.
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError>;
}

/// Why nobody is known by a bearer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Nobody has it. The text is for the caller, and nothing of the bearer stands in it.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// It cannot be told now. The text is for the log.
    #[error("{0}")]
    Unavailable(String),
}

/// The server's own: API keys, and tokens.
#[derive(Debug)]
pub struct Credentials {
    keys: ApiKeys,
    tokens: Option<TokenCheck>,
}

impl Credentials {
    /// Knows these backends, and app users whose tokens `jwt` signs.
    pub fn new(keys: &[ApiKey], jwt: Option<&JwtKey>, claims: RequiredClaims, clock: Arc<dyn Clock>) -> Self {
        Self { keys: ApiKeys::new(keys), tokens: jwt.map(|key| TokenCheck::new(key, claims, clock)) }
    }
}

#[async_trait]
impl Authenticator for Credentials {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        if let Some(name) = self.keys.name_of(bearer) {
            return Ok(Principal::Key { name: name.to_owned() });
        }
        let unknown = AuthError::Unauthenticated("the bearer is no API key of this server");
        self.tokens.as_ref().map_or(Err(unknown), |tokens| tokens.check(bearer))
    }
}
