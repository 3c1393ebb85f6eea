use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use internal_notifications_models::{NotificationId, Retraction};

use crate::Clock;
use crate::http::AppState;
use crate::http::extract::{Backend, PathId};
use crate::http::openapi::{NotFound, Rejected};
use crate::http::problem::{ApiError, Kind};
use crate::store::StoreErrorKind;

/// Retracts a notification: removes it from all inboxes and cancels its scheduled deliveries.
#[utoipa::path(
    delete,
    path = "/v1/notifications/{id}",
    tag = "Pushing",
    security(("api_key" = [])),
    params(("id" = NotificationId, Path, description = "The id of the notification.")),
    responses((status = 200, description = "The notification was retracted.", body = Retraction), NotFound, Rejected),
)]
pub(in crate::http) async fn retract(
    State(app): State<Arc<AppState>>,
    Backend: Backend,
    PathId(id): PathId,
) -> Result<Json<Retraction>, ApiError> {
    app.check_running()?;
    let retracted = app.store.retract(&id, app.guard.stamp()).await;
    retracted.map(Json).map_err(|error| match error.kind() {
        StoreErrorKind::NotFound => {
            ApiError::new(Kind::UnknownNotification, "no notification with this id was ever pushed")
        }
        _ => error.into(),
    })
}
