use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use internal_notifications_models::NotificationId;

use crate::http::problem::ApiError;

/// The notification id in the path, percent-decoded.
pub(in crate::http) struct PathId(pub(in crate::http) NotificationId);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let id = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::malformed("the id in the path is not percent-encoded UTF-8"))?;
        NotificationId::new(id.0).map(Self).map_err(|error| ApiError::invalid(error.to_string()))
    }
}
