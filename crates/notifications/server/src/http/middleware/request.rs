use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tracing::Instrument;

use crate::http::AppState;
use crate::http::problem::{ApiError, Kind};
use crate::metrics;

pub(in crate::http) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives every request an id, a time-out, a log span and metrics, and every answer headers against
/// caching and content sniffing.
pub(in crate::http) async fn surround(
    State(app): State<Arc<AppState>>,
    request: Request,
    next: Next,
) -> Response {
    let id = incoming_id(&request).or_else(|| HeaderValue::try_from(app.ids.next_id()).ok());
    let span = tracing::debug_span!(
        "request",
        request.id = id.as_ref().and_then(|id| id.to_str().ok()),
        http.method = %request.method(),
        url.path = request.uri().path(),
    );
    let (started, method, route) = (Instant::now(), method(&request), route(&request));
    let answer = async {
        let response = match tokio::time::timeout(app.config.limits.request_timeout, next.run(request)).await
        {
            Ok(response) => response,
            Err(_) => {
                ApiError::bare(Kind::Unavailable).with_cause("the request took too long").into_response()
            }
        };
        tracing::debug!(http.status = response.status().as_u16(), "answered a request");
        response
    };
    let mut response = answer.instrument(span).await;
    app.metrics.answered(metrics::Request {
        method,
        route,
        status: response.status().as_u16(),
        problem: response.extensions().get::<Kind>().map(|kind| kind.slug()),
        took: started.elapsed(),
    });
    let headers = response.headers_mut();
    if let Some(id) = id {
        headers.insert(REQUEST_ID, id);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Returns the method, or `other` for those that no route has, so that callers cannot create
/// metrics.
fn method(request: &Request) -> &'static str {
    match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Returns the pattern of the path, which contains no ids and of which there are few.
fn route(request: &Request) -> String {
    request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned()
}

/// Returns the id that the caller or a proxy chose, if it is safe to log.
fn incoming_id(request: &Request) -> Option<HeaderValue> {
    let id = request.headers().get(REQUEST_ID)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    let bytes = id.as_bytes();
    (1..=128).contains(&bytes.len()).then_some(())?;
    bytes.iter().all(plain).then(|| id.clone())
}
