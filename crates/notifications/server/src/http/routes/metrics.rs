use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::http::AppState;
use crate::metrics::TEXT;

/// Returns the metrics for Prometheus.
///
/// They contain nothing about users, so no credential is needed.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "Operation",
    responses((status = 200, description = "The metrics in Prometheus's text format.", body = String, content_type = "text/plain; version=0.0.4; charset=utf-8")),
)]
pub(in crate::http) async fn metrics(State(app): State<Arc<AppState>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, TEXT)], app.metrics.text())
}
