use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tracing::Instrument;

use super::App;
use super::problem::{ApiError, Kind};
use crate::metrics;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What every request has: an id, an end in time, and headers that keep answers out of caches and guesses.
pub(super) async fn frame(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = incoming_id(&request).or_else(|| HeaderValue::try_from(app.ids.next()).ok());
    let span = tracing::debug_span!(
        "request",
        request.id = id.as_ref().and_then(|id| id.to_str().ok()),
        http.method = %request.method(),
        url.path = request.uri().path(),
    );
    let (begun, method, route) = (Instant::now(), method(&request), route(&request));
    let answered = async {
        let response = match tokio::time::timeout(app.limits.request_timeout, next.run(request)).await {
            Ok(response) => response,
            Err(_) => ApiError::bare(Kind::Unavailable).with_cause("it took too long").into_response(),
        };
        tracing::debug!(http.status = response.status().as_u16(), "answered");
        response
    };
    let mut response = answered.instrument(span).await;
    app.metrics.answered(metrics::Request {
        method,
        route,
        status: response.status().as_u16(),
        problem: response.extensions().get::<Kind>().map(|kind| kind.slug()),
        took: begun.elapsed(),
    });
    let headers = response.headers_mut();
    if let Some(id) = id {
        headers.insert(REQUEST_ID, id);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Of the methods that anyone may make up, those that routes have.
fn method(request: &Request) -> &'static str {
    match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The pattern of the path: few, whatever is asked, and without ids.
fn route(request: &Request) -> String {
    request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned()
}

/// The id that the caller or a proxy gave, if it is one that may stand in a log.
fn incoming_id(request: &Request) -> Option<HeaderValue> {
    let id = request.headers().get(REQUEST_ID)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    let bytes = id.as_bytes();
    (1..=128).contains(&bytes.len()).then_some(())?;
    bytes.iter().all(plain).then(|| id.clone())
}
