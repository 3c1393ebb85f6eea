use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use internal_notifications_models::JsonText;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use crate::http::AppState;
use crate::http::problem::{ApiError, Kind};

/// The body of a request, limited in size and time.
pub(in crate::http) struct Body(pub(in crate::http) Vec<u8>);

/// A body parsed as JSON, whatever its content type. Rejects other texts with 400, and other shapes
/// with 422.
pub(in crate::http) struct JsonBody<T>(pub(in crate::http) T);

impl FromRequest<Arc<AppState>> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<AppState>) -> Result<Self, ApiError> {
        let limit = app.config.limits.body_bytes;
        if declared_length(&request) > limit {
            return Err(too_large(limit));
        }
        let read = read(request.into_body(), limit);
        tokio::time::timeout(app.config.limits.body_timeout, read)
            .await
            .unwrap_or_else(|_| Err(ApiError::new(Kind::TooSlow, "the body did not arrive in time")))
            .map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<AppState>> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<AppState>) -> Result<Self, ApiError> {
        let Body(bytes) = Body::from_request(request, app).await?;
        parse(&bytes).map(Self)
    }
}

pub(in crate::http) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // Checked here because serde does not look inside the fields it ignores.
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ApiError::malformed(format!("the body is not JSON: {error}")))?;
    let is_object = text.trim_ascii_start().starts_with('{');
    let error = match serde_json::from_str(text) {
        Ok(value) if is_object => return Ok(value),
        // serde would also accept an array of the fields' values.
        Ok(_) => return Err(ApiError::invalid("the body must be a JSON object")),
        Err(error) => error,
    };
    // serde reports a wrong shape before it has parsed the rest. `IgnoredAny` accepts any nesting
    // and halves of surrogate pairs, which a `JsonText` reports in the same way as a wrong shape.
    let well_formed = match is_object {
        true => text.parse::<JsonText>().is_ok(),
        false => serde_json::from_str::<IgnoredAny>(text).is_ok(),
    };
    match error.classify() {
        Category::Data if well_formed => Err(ApiError::invalid(error.to_string())),
        _ => Err(ApiError::malformed(format!("the body is not JSON: {error}"))),
    }
}

fn declared_length(request: &Request) -> usize {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

async fn read(mut body: axum::body::Body, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::malformed("the body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit.saturating_sub(bytes.len()) {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(Kind::TooLarge, format!("a body may have at most {limit} bytes"))
}
