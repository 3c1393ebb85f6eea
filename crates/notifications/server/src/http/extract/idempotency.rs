use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use internal_notifications_models::PushRequest;

use crate::http::problem::ApiError;
use crate::store::IdempotencyKey;

const NAME: &str = "idempotency-key";

/// The header `Idempotency-Key`, taken literally, not as a structured field.
pub(in crate::http) struct IdempotencyHeader(Vec<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for IdempotencyHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get_all(NAME).iter().cloned().collect()))
    }
}

impl IdempotencyHeader {
    /// Returns the key for this request, or `None` without the header.
    pub(in crate::http) fn of(&self, request: &PushRequest) -> Result<Option<IdempotencyKey>, ApiError> {
        let header = match self.0.as_slice() {
            [] => return Ok(None),
            [header] => header,
            _ => return Err(ApiError::invalid("the header Idempotency-Key may appear only once")),
        };
        let key = header.to_str().ok().and_then(|key| IdempotencyKey::new(key, request));
        key.map(Some).ok_or_else(|| {
            let most = IdempotencyKey::MAX_CHARS;
            ApiError::invalid(format!(
                "the header Idempotency-Key must have 1 to {most} visible ASCII characters, without spaces"
            ))
        })
    }
}
