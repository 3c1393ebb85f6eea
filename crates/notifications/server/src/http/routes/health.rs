use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::http::App;
use crate::http::openapi::Failed;
use crate::http::problem::ApiError;

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Health {
    status: &'static str,
}

/// The process runs.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "Operation",
    responses((status = 200, description = "It does.", body = Health)),
)]
pub(in crate::http) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// It can serve: the store can be read and written.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "Operation",
    responses((status = 200, description = "It can.", body = Health), Failed),
)]
pub(in crate::http) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Health>, ApiError> {
    app.store.ready().await?;
    Ok(Json(Health { status: "ready" }))
}
