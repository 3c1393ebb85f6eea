use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use internal_notifications_models::PushRequest;

use crate::http::problem::ApiError;
use crate::store::IdempotencyKey;

const NAME: &str = "idempotency-key";

/// What the caller calls its request, taken as it stands: not as a quoted string of structured fields.
pub(in crate::http) struct IdempotencyHeader(Vec<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for IdempotencyHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get_all(NAME).iter().cloned().collect()))
    }
}

impl IdempotencyHeader {
    /// The key, as that of this request; none without the header.
    pub(in crate::http) fn of(&self, request: &PushRequest) -> Result<Option<IdempotencyKey>, ApiError> {
        let header = match self.0.as_slice() {
            [] => return Ok(None),
            [header] => header,
            _ => return Err(ApiError::invalid("the header Idempotency-Key must stand once")),
        };
        let key = header.to_str().ok().and_then(|key| IdempotencyKey::new(key, request));
        key.map(Some).ok_or_else(|| {
            let most = IdempotencyKey::MAX_CHARS;
            ApiError::invalid(format!(
                "the header Idempotency-Key is 1 to {most} visible ASCII characters, without spaces"
            ))
        })
    }
}
