use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::http::App;

/// Numbers for Prometheus. They tell of no user, so that nobody is asked who they are.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "Operation",
    responses((status = 200, description = "Prometheus' text format.", body = String, content_type = "text/plain; version=0.0.4; charset=utf-8")),
)]
pub(in crate::http) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.text())
}
