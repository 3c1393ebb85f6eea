use std::fmt;
use std::time::Duration;

use internal_notifications_models::{Timestamp, UserId};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

use super::{PUSH_SCOPE, crypto};
use crate::config::{AuthConfig, Config, JwtKey, RequiredClaims};
use crate::error::{Error, ErrorKind};
use crate::kept::JWT_SECRET;

/// Makes app users' tokens with the server's secret, for development and tests. In production the app's own login makes them.
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
    /// Signs with this secret; tokens say these claims.
    pub fn new(secret: &str, claims: RequiredClaims) -> Self {
        crypto::install();
        Self { key: EncodingKey::from_secret(secret.as_bytes()), claims }
    }

    /// Signs with the configured secret; none when there is none, or only a public key, which makes no tokens.
    pub fn from_config(auth: &AuthConfig) -> Option<Self> {
        Self::of(auth.jwt.as_ref()?, auth.claims.clone())
    }

    /// Signs with the configured secret, or else with the one that a server on loopback made and keeps in its database, which may be running.
    ///
    /// # Errors
    /// [`ErrorKind::NoSecret`] where there is neither; the database cannot be read.
    pub async fn find(config: &Config) -> Result<Self, Error> {
        if config.auth.jwt.is_some() {
            return Self::from_config(&config.auth).ok_or_else(|| {
                Error::new(
                    ErrorKind::NoSecret,
                    "tokens are made elsewhere: the server has only their public key",
                )
            });
        }
        let (stored, database) =
            (config.database.read_setting(JWT_SECRET).await?, config.database.redacted());
        match stored {
            Some(secret) => Ok(Self::new(&secret, config.auth.claims.clone())),
            None => Err(Error::new(
                ErrorKind::NoSecret,
                format!(
                    "there is no secret to make tokens with: set INTERNAL_NOTIFICATIONS_JWT_SECRET, or start a server on loopback with the database {database} first"
                ),
            )),
        }
    }

    pub(crate) fn of(key: &JwtKey, claims: RequiredClaims) -> Option<Self> {
        match key {
            JwtKey::Secret(secret) => Some(Self::new(secret, claims)),
            JwtKey::Public(_) => None,
        }
    }

    /// A token of a user, from `now` for `ttl`; with `push` it may push to others.
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
        // HS256 over texts and numbers cannot fail; an empty token would be nobody's.
        encode(&Header::new(Algorithm::HS256), &claims, &self.key).unwrap_or_default()
    }
}

impl fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIssuer").field("claims", &self.claims).finish_non_exhaustive()
    }
}
