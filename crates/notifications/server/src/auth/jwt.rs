use std::fmt;
use std::sync::Arc;

use internal_notifications_models::{Timestamp, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use super::bearer_digest::BearerDigest;
use super::verified_tokens::{VerifiedToken, VerifiedTokens};
use super::{AuthError, PUSH_SCOPE, Principal, crypto};
use crate::Clock;
use crate::config::{JwtKey, RequiredClaims};

/// Longer tokens are rejected unread.
const TOKEN_BYTES: usize = 8 * 1024;
/// Tolerated difference between clocks, in seconds.
const LEEWAY: f64 = 60.0;

/// Verifies the tokens of app users.
pub(crate) struct TokenCheck {
    key: DecodingKey,
    validation: Validation,
    clock: Arc<dyn Clock>,
    /// Only of HS256, whose tokens nobody but the holder of the secret can make.
    verified: Option<VerifiedTokens>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    scope: Option<String>,
}

impl TokenCheck {
    pub(crate) fn new(key: &JwtKey, claims: RequiredClaims, clock: Arc<dyn Clock>) -> Self {
        crypto::install();
        let (key, algorithm) = match key {
            JwtKey::Secret(secret) => (DecodingKey::from_secret(secret.0.as_bytes()), Algorithm::HS256),
            JwtKey::Public(public) => (public.key.clone(), public.algorithm),
        };
        let mut validation = Validation::new(algorithm);
        // Times are checked in `check`, against the server's clock.
        validation.validate_exp = false;
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = claims.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match claims.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        let verified = (algorithm == Algorithm::HS256).then(VerifiedTokens::new);
        Self { key, validation, clock, verified }
    }

    /// Returns the user of a token that is valid now. `digest` is the token's.
    pub(crate) fn check(&self, token: &str, digest: &BearerDigest) -> Result<Principal, AuthError> {
        let Some(verified) = &self.verified else {
            return self.verify(token).map(|token| token.user);
        };
        if let Some(token) = verified.get(digest) {
            // Another time than at the verification decides, also if the clock was set.
            self.check_times(token.exp, token.nbf).inspect_err(|_| verified.remove(digest))?;
            return Ok(token.user);
        }
        let token = self.verify(token)?;
        verified.insert(*digest, token.clone());
        Ok(token.user)
    }

    /// Forgets the verified tokens of a user.
    pub(crate) fn forget(&self, user_id: &UserId) {
        if let Some(verified) = &self.verified {
            verified.forget(user_id);
        }
    }

    fn verify(&self, token: &str) -> Result<VerifiedToken, AuthError> {
        if token.len() > TOKEN_BYTES {
            return Err(unauthenticated("the token is too long"));
        }
        let Claims { sub, exp, nbf, scope } = decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|_| unauthenticated("the token is not valid for this server"))?
            .claims;
        self.check_times(exp, nbf)?;
        let id = UserId::new(sub).map_err(|_| unauthenticated("the token's sub is not a user id"))?;
        let may_push = scope.is_some_and(|scope| scope.split(' ').any(|part| part == PUSH_SCOPE));
        let user = Principal::user(id).with_push(may_push);
        let user = match Timestamp::from_second((exp + LEEWAY) as i64) {
            Ok(expiry) => user.with_expiry(expiry),
            // Later than any timestamp: it never expires.
            Err(_) => user,
        };
        Ok(VerifiedToken { user, exp, nbf })
    }

    fn check_times(&self, exp: f64, nbf: Option<f64>) -> Result<(), AuthError> {
        let now = self.clock.now().as_duration().as_secs_f64();
        // Phrased so that NaN is rejected.
        let is_current = exp + LEEWAY > now;
        if !is_current {
            return Err(unauthenticated("the token has expired"));
        }
        let has_started = nbf.is_none_or(|nbf| nbf - LEEWAY <= now);
        if !has_started {
            return Err(unauthenticated("the token is not valid yet"));
        }
        Ok(())
    }
}

fn unauthenticated(reason: &str) -> AuthError {
    AuthError::Unauthenticated(reason.to_owned())
}

impl fmt::Debug for TokenCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCheck").field("algorithms", &self.validation.algorithms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
