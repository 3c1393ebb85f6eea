use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use internal_notifications_models::UserId;

use crate::http::App;
use crate::http::extract::Backend;
use crate::http::openapi::Refused;
use crate::http::problem::{ApiError, Kind};

/// Closes a user's connections, at logout or when a token is revoked. They come back only as far as the user still has a token.
#[utoipa::path(
    delete,
    path = "/v1/users/{id}/connections",
    tag = "Channels",
    security(("api_key" = [])),
    params(("id" = UserId, Path, description = "The user.")),
    responses((status = 204, description = "Closed, if there were any."), Refused),
)]
pub(in crate::http) async fn close_connections(
    State(app): State<Arc<App>>,
    Backend: Backend,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user_id = UserId::new(id).map_err(|error| ApiError::invalid(error.to_string()))?;
    // Whoever can have no channel may be signed in all the same.
    let channel = app.channels.channel(&user_id).ok();
    let Some(connections) = &app.connections else {
        return Err(ApiError::new(Kind::Unavailable, "this server cannot close connections"));
    };
    match connections.close(&user_id, channel.as_ref()).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(ApiError::new(Kind::Unavailable, "the connections could not be closed")
            .with_cause(error.to_string())),
    }
}
