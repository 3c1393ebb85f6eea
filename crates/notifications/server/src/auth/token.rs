use std::fmt;
use std::time::Duration;

use internal_notifications_models::{Timestamp, UserId};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

use super::{PUSH_SCOPE, crypto};
use crate::config::{AuthConfig, Config, JwtKey, RequiredClaims};
use crate::error::Error;
use crate::generated_secrets::JWT_SECRET;

/// Signs tokens of app users with the server's secret, for development and tests. In production,
/// the app's own login signs them.
#[derive(Clone)]
pub struct TokenIssuer {
    key: EncodingKey,
    claims: RequiredClaims,
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a UserId,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

impl TokenIssuer {
    /// Signs tokens with this secret and these claims.
    pub fn new(secret: &str, claims: RequiredClaims) -> Self {
        crypto::install();
        Self { key: EncodingKey::from_secret(secret.as_bytes()), claims }
    }

    /// Signs tokens with the configured secret. Returns `None` if there is no JWT key, or only a
    /// public one.
    pub fn from_config(auth: &AuthConfig) -> Option<Self> {
        match auth.jwt.as_ref()? {
            JwtKey::Secret(secret) => Some(Self::new(&secret.0, auth.claims.clone())),
            JwtKey::Public(_) => None,
        }
    }

    /// Signs tokens with the configured secret or, without one, with the secret that a server on
    /// loopback generated and stored in the configured database. The server may be running.
    ///
    /// # Errors
    /// Returns an [`Error`] of the kind [`ErrorKind::NoSecret`](crate::ErrorKind::NoSecret) if
    /// there is no secret, and of another kind if the database cannot be read.
    pub async fn find(config: &Config) -> Result<Self, Error> {
        if config.auth.jwt.is_some() {
            return Self::from_config(&config.auth).ok_or_else(|| {
                Error::no_secret(
                    "the server has only a public key; tokens are signed with the private key elsewhere",
                )
            });
        }
        let database = config.required_database()?;
        match database.stored_setting(JWT_SECRET).await? {
            Some(secret) => Ok(Self::new(&secret, config.auth.claims.clone())),
            None => Err(Error::no_secret(format!(
                "there is no secret to sign tokens with: set INTERNAL_NOTIFICATIONS_JWT_SECRET, or first start a server on loopback with the database {}",
                database.redacted()
            ))),
        }
    }

    /// Returns a token of this user that is valid from `now` for `ttl`. With `push`, the user may
    /// push to others.
    pub fn mint(&self, user_id: &UserId, now: Timestamp, ttl: Duration, push: bool) -> String {
        let iat = now.as_second();
        let claims = Claims {
            sub: user_id,
            iat,
            exp: iat.saturating_add_unsigned(ttl.as_secs()),
            iss: self.claims.issuer.as_deref(),
            aud: self.claims.audience.as_deref(),
            scope: push.then_some(PUSH_SCOPE),
        };
        // Signing texts and numbers with HS256 cannot fail; an empty token would be rejected.
        encode(&Header::new(Algorithm::HS256), &claims, &self.key).unwrap_or_default()
    }
}

impl fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIssuer").field("claims", &self.claims).finish_non_exhaustive()
    }
}
