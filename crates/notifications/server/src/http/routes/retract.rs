use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use internal_notifications_models::{NotificationId, Retraction};

use crate::http::App;
use crate::http::extract::{Backend, PathId};
use crate::http::openapi::{NotFound, Refused};
use crate::http::problem::{ApiError, Kind};
use crate::store::StoreErrorKind;

/// Takes a notification back from everyone, those who would get it later included.
#[utoipa::path(
    delete,
    path = "/v1/notifications/{id}",
    tag = "Pushing",
    security(("api_key" = [])),
    params(("id" = NotificationId, Path, description = "The notification.")),
    responses((status = 200, description = "Taken back.", body = Retraction), NotFound, Refused),
)]
pub(in crate::http) async fn retract(
    State(app): State<Arc<App>>,
    Backend: Backend,
    PathId(id): PathId,
) -> Result<Json<Retraction>, ApiError> {
    let retracted = app.store.retract(&id, app.clock.now()).await;
    retracted.map(Json).map_err(|error| match error.kind() {
        StoreErrorKind::NotFound => {
            ApiError::new(Kind::UnknownNotification, "nobody was ever pushed a notification of this id")
        }
        _ => error.into(),
    })
}
