use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use internal_notifications_models::UserId;

use crate::http::AppState;
use crate::http::extract::Backend;
use crate::http::openapi::Rejected;
use crate::http::problem::{ApiError, Kind};

/// Closes all connections of a user.
///
/// For logouts and revoked tokens. Clients can reconnect only with a token that is still valid.
#[utoipa::path(
    delete,
    path = "/v1/users/{id}/connections",
    tag = "Channels",
    security(("api_key" = [])),
    params(("id" = UserId, Path, description = "The id of the user.")),
    responses((status = 204, description = "The connections, if there were any, are closed."), Rejected),
)]
pub(in crate::http) async fn close_connections(
    State(app): State<Arc<AppState>>,
    Backend: Backend,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user_id = UserId::new(id).map_err(|error| ApiError::invalid(error.to_string()))?;
    app.authenticator.forget(&user_id);
    // A user who can have no channel may still be signed in.
    let channel = app.config.channel_prefix.channel(&user_id).ok();
    let closed = app.realtime.realtime.close_connections(&user_id, channel.as_ref()).await;
    closed.map(|()| StatusCode::NO_CONTENT).map_err(|error| {
        ApiError::new(Kind::Unavailable, "the connections could not be closed").with_cause(error)
    })
}
