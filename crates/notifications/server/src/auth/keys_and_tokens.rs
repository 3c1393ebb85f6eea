use std::sync::Arc;

use async_trait::async_trait;

use super::api_keys::ApiKeys;
use super::jwt::TokenCheck;
use super::{AuthError, Authenticator, Principal};
use crate::Clock;
use crate::config::AuthConfig;

/// The server's own authenticator: API keys of backends, and JSON Web Tokens of app users.
#[derive(Debug)]
pub struct KeysAndTokens {
    keys: ApiKeys,
    tokens: Option<TokenCheck>,
}

impl KeysAndTokens {
    /// Accepts the configured API keys and, if a JWT key is configured, the tokens it verifies.
    pub fn new(config: &AuthConfig, clock: Arc<dyn Clock>) -> Self {
        let tokens = config.jwt.as_ref().map(|key| TokenCheck::new(key, config.claims.clone(), clock));
        Self { keys: ApiKeys::new(&config.api_keys), tokens }
    }
}

#[async_trait]
impl Authenticator for KeysAndTokens {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        if let Some(name) = self.keys.name_of(bearer) {
            return Ok(Principal::key(name));
        }
        match &self.tokens {
            Some(tokens) => tokens.check(bearer),
            None => {
                Err(AuthError::Unauthenticated("the bearer token is not an API key of this server".into()))
            }
        }
    }
}
