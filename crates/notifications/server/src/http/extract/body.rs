use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use internal_notifications_models::{JsonText, MAX_IDS, MarkRequest, PushRequest};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use crate::auth::Principal;
use crate::config::Limits;
use crate::http::AppState;
use crate::http::body_budget::Reservation;
use crate::http::problem::{ApiError, Kind};

/// The body of a request to an auth endpoint, limited in size and time.
pub(in crate::http) struct AuthBody(pub(in crate::http) Vec<u8>);

/// A body parsed as JSON, whatever its content type, and the memory reserved for it until the
/// request is answered. Rejects other texts with 400, and other shapes with 422.
pub(in crate::http) struct JsonBody<T>(pub(in crate::http) T, pub(in crate::http) Reservation);

/// What the body of a request is parsed as.
pub(in crate::http) trait RequestBody: DeserializeOwned {
    /// Returns the most bytes that such a body needs.
    fn max_bytes(limits: &Limits) -> usize;

    /// Returns whether an object is JSON that such a body can keep, whatever its shape.
    fn is_well_formed(text: &str) -> bool {
        is_json(text)
    }
}

/// Far more than the fields that Pusher's libraries send.
const AUTH_BYTES: usize = 4 * 1024;
/// A body of this many ids, each of 128 characters that are escaped as two surrogates.
const MARK_BYTES: usize = MAX_IDS * (128 * "\\ud83d\\ude00".len() + "\"\", ".len()) + 4 * 1024;

impl RequestBody for PushRequest {
    fn max_bytes(limits: &Limits) -> usize {
        limits.body_bytes
    }

    /// A [`JsonText`] reports what it cannot keep, such as half a surrogate pair, in the same way
    /// as a wrong shape.
    fn is_well_formed(text: &str) -> bool {
        text.parse::<JsonText>().is_ok()
    }
}

impl RequestBody for MarkRequest {
    fn max_bytes(limits: &Limits) -> usize {
        limits.body_bytes.min(MARK_BYTES)
    }
}

impl FromRequest<Arc<AppState>> for AuthBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<AppState>) -> Result<Self, ApiError> {
        let limit = app.config.limits.body_bytes.min(AUTH_BYTES);
        read_in_time(request, app, limit).await.map(|(bytes, _)| Self(bytes))
    }
}

impl<T: RequestBody> FromRequest<Arc<AppState>> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<AppState>) -> Result<Self, ApiError> {
        let limit = T::max_bytes(&app.config.limits);
        let (bytes, reservation) = read_in_time(request, app, limit).await?;
        parse_object(&bytes, T::is_well_formed).map(|value| Self(value, reservation))
    }
}

/// Parses a JSON object.
pub(in crate::http) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    parse_object(bytes, is_json)
}

fn parse_object<T: DeserializeOwned>(bytes: &[u8], is_well_formed: fn(&str) -> bool) -> Result<T, ApiError> {
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
    // serde reports a wrong shape before it has parsed the rest.
    let is_well_formed = if is_object { is_well_formed } else { is_json };
    match error.classify() {
        Category::Data if is_well_formed(text) => Err(ApiError::invalid(error.to_string())),
        _ => Err(ApiError::malformed(format!("the body is not JSON: {error}"))),
    }
}

/// Returns whether a text is JSON, with any nesting.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Reads the body of an identified caller, whose extractor has to run first.
async fn read_in_time(
    request: Request,
    app: &Arc<AppState>,
    limit: usize,
) -> Result<(Vec<u8>, Reservation), ApiError> {
    let caller = request.extensions().get::<Principal>();
    let caller = caller.ok_or_else(|| ApiError::bare(Kind::Unauthenticated))?;
    let reservation = app.bodies.reserve(caller);
    if declared_length(&request) > limit {
        return Err(too_large(limit));
    }
    let read = read(request.into_body(), limit, reservation);
    tokio::time::timeout(app.config.limits.body_timeout, read)
        .await
        .unwrap_or_else(|_| Err(ApiError::new(Kind::TooSlow, "the body did not arrive in time")))
}

fn declared_length(request: &Request) -> usize {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// Reserves memory as the body arrives, since a caller may declare a length and send nothing.
async fn read(
    mut body: axum::body::Body,
    limit: usize,
    mut reservation: Reservation,
) -> Result<(Vec<u8>, Reservation), ApiError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::malformed("the body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit.saturating_sub(bytes.len()) {
            return Err(too_large(limit));
        }
        let needed = bytes.len() + data.len();
        if needed > bytes.capacity() {
            let capacity = needed.max(bytes.capacity().saturating_mul(2).min(limit));
            reservation.grow(capacity - bytes.capacity())?;
            bytes.reserve_exact(capacity - bytes.len());
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, reservation))
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(Kind::TooLarge, format!("a body may have at most {limit} bytes"))
}
