use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use internal_notifications_models::{Timestamp, UserId};

use crate::auth::{AuthError, Principal};
use crate::http::App;
use crate::http::problem::{ApiError, Kind};

/// Who calls; 401 when nobody is known by the bearer.
pub(in crate::http) struct Caller(pub(in crate::http) Principal);

/// Who calls and may push to someone; 403 for others.
pub(in crate::http) struct Pusher(pub(in crate::http) Principal);

/// The app user that calls; 403 for a backend, which has no inbox.
pub(in crate::http) struct OwnInbox(pub(in crate::http) UserId);

/// The app user that calls, and until when what it calls with is good, if that ends; 403 for a backend.
pub(in crate::http) struct AppUser {
    pub(in crate::http) id: UserId,
    pub(in crate::http) until: Option<Timestamp>,
}

/// That a backend calls; 403 for an app user.
pub(in crate::http) struct Backend;

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let unauthenticated = |detail: &str| ApiError::new(Kind::Unauthenticated, detail);
        let bearer = bearer(parts)
            .ok_or_else(|| unauthenticated("an Authorization header with a bearer is needed, once"))?;
        match app.authenticator.authenticate(bearer).await {
            Ok(principal) => Ok(Self(principal)),
            Err(AuthError::Unauthenticated(text)) => Err(unauthenticated(text)),
            Err(AuthError::Unavailable(cause)) => Err(ApiError::bare(Kind::Unavailable).with_cause(cause)),
        }
    }
}

impl FromRequestParts<Arc<App>> for Pusher {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let Caller(principal) = Caller::from_request_parts(parts, app).await?;
        match app.policy.may_push_to_some(&principal) {
            true => Ok(Self(principal)),
            false => Err(ApiError::may_not_push()),
        }
    }
}

impl FromRequestParts<Arc<App>> for OwnInbox {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        AppUser::from_request_parts(parts, app).await.map(|AppUser { id, .. }| Self(id))
    }
}

impl FromRequestParts<Arc<App>> for AppUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await?.0 {
            Principal::User { id, until, .. } => Ok(Self { id, until }),
            Principal::Key { .. } => {
                Err(ApiError::forbidden("this is for an app user's token; an API key has no inbox"))
            }
        }
    }
}

impl FromRequestParts<Arc<App>> for Backend {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await?.0 {
            Principal::Key { .. } => Ok(Self),
            Principal::User { .. } => {
                Err(ApiError::forbidden("this is for a backend's API key, not for an app user's token"))
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
