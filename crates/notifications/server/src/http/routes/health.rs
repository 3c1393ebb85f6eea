use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::http::AppState;
use crate::http::openapi::Unavailable;
use crate::http::problem::ApiError;

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Health {
    status: &'static str,
    /// `in_doubt` while the clock is in doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<&'static str>,
}

/// Checks that the process runs.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "Operation",
    responses((status = 200, description = "The process runs.", body = Health)),
)]
pub(in crate::http) async fn live() -> Json<Health> {
    Json(Health { status: "live", clock: None })
}

/// Checks that every part of the server works, and that the store can be read and written.
///
/// The store is checked at most once a second; requests in between get the answer of the last
/// check.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "Operation",
    responses((status = 200, description = "The server works, and the store can be read and written.", body = Health), Unavailable),
)]
pub(in crate::http) async fn ready(State(app): State<Arc<AppState>>) -> Result<Json<Health>, ApiError> {
    app.check_running()?;
    app.health.ready().await?;
    let clock = app.guard.is_in_doubt().then_some("in_doubt");
    Ok(Json(Health { status: "ready", clock }))
}
