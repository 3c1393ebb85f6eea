use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use internal_notifications_models::{Timestamp, UserId};

use crate::auth::Principal;
use crate::http::AppState;
use crate::http::problem::{ApiError, Kind};

/// The identified caller. Rejects unknown callers with 401.
pub(in crate::http) struct Caller(pub(in crate::http) Principal);

/// A caller who may push. Rejects others with 403 before the body is read.
pub(in crate::http) struct MayPush(pub(in crate::http) Principal);

/// The calling app user, as the owner of an inbox. Rejects backends with 403.
pub(in crate::http) struct OwnInbox(pub(in crate::http) UserId);

/// The calling app user, and when the user's credential expires. Rejects backends with 403.
pub(in crate::http) struct AppUser {
    pub(in crate::http) id: UserId,
    pub(in crate::http) expires_at: Option<Timestamp>,
}

/// Proof that a backend calls. Rejects app users with 403.
pub(in crate::http) struct Backend;

impl FromRequestParts<Arc<AppState>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<AppState>) -> Result<Self, ApiError> {
        let bearer = bearer(parts).ok_or_else(|| {
            let detail = "exactly one Authorization header with a bearer token is required";
            ApiError::new(Kind::Unauthenticated, detail)
        })?;
        let caller = app.authenticator.authenticate(bearer).await?;
        // The body is read on the account of this caller.
        parts.extensions.insert(caller.clone());
        Ok(Self(caller))
    }
}

impl FromRequestParts<Arc<AppState>> for MayPush {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<AppState>) -> Result<Self, ApiError> {
        let Caller(principal) = Caller::from_request_parts(parts, app).await?;
        app.policy.may_push(&principal).await?;
        Ok(Self(principal))
    }
}

impl FromRequestParts<Arc<AppState>> for OwnInbox {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<AppState>) -> Result<Self, ApiError> {
        AppUser::from_request_parts(parts, app).await.map(|AppUser { id, .. }| Self(id))
    }
}

impl FromRequestParts<Arc<AppState>> for AppUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<AppState>) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await?.0 {
            Principal::User { id, expires_at, .. } => Ok(Self { id, expires_at }),
            Principal::Key { .. } => {
                Err(ApiError::forbidden("this route needs an app user's token; an API key has no inbox"))
            }
        }
    }
}

impl FromRequestParts<Arc<AppState>> for Backend {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<AppState>) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await?.0 {
            Principal::Key { .. } => Ok(Self),
            Principal::User { .. } => {
                Err(ApiError::forbidden("this route needs a backend's API key, not an app user's token"))
            }
        }
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return None };
    let (scheme, bearer) = header.to_str().ok()?.split_once(' ')?;
    let bearer = bearer.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !bearer.is_empty()).then_some(bearer)
}
