use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use internal_notifications_models::UserId;

use super::api_keys::ApiKeys;
use super::bearer_digest::BearerDigests;
use super::jwt::TokenCheck;
use super::{AuthError, Authenticator, Principal};
use crate::Clock;
use crate::config::AuthConfig;

/// The server's own authenticator: API keys of backends, and JSON Web Tokens of app users.
///
/// It remembers some thousand tokens whose HS256 signature it has verified, by a digest, until they
/// expire or their user is [forgotten](Authenticator::forget). It checks their times at each use.
pub struct KeysAndTokens {
    digests: BearerDigests,
    keys: ApiKeys,
    tokens: Option<TokenCheck>,
}

impl KeysAndTokens {
    /// Accepts the configured API keys and, if a JWT key is configured, the tokens it verifies.
    pub fn new(config: &AuthConfig, clock: Arc<dyn Clock>) -> Self {
        let tokens = config.jwt.as_ref().map(|key| TokenCheck::new(key, config.claims.clone(), clock));
        let digests = BearerDigests::new();
        Self { keys: ApiKeys::new(&config.api_keys, &digests), digests, tokens }
    }
}

#[async_trait]
impl Authenticator for KeysAndTokens {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        let digest = self.digests.of(bearer);
        if let Some(name) = self.keys.name_of(&digest) {
            return Ok(Principal::key(name));
        }
        match &self.tokens {
            Some(tokens) => tokens.check(bearer, &digest),
            None => {
                Err(AuthError::Unauthenticated("the bearer token is not an API key of this server".into()))
            }
        }
    }

    fn forget(&self, user_id: &UserId) {
        if let Some(tokens) = &self.tokens {
            tokens.forget(user_id);
        }
    }
}

impl fmt::Debug for KeysAndTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeysAndTokens")
            .field("keys", &self.keys)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}
