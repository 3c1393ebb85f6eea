use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::http::App;
use crate::http::problem::ApiError;

#[derive(Serialize)]
pub(in crate::http) struct Health {
    status: &'static str,
}

/// The process runs.
pub(in crate::http) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// It can serve: the store can be read and written.
pub(in crate::http) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Health>, ApiError> {
    app.store.ready().await?;
    Ok(Json(Health { status: "ready" }))
}
