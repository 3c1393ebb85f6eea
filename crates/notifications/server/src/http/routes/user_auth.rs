use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pusher_protocol::ChannelName;
use pusher_signer::UserAuthentication;
use serde_json::json;

use super::channel_auth::{Fields, fields, socket_id_of};
use crate::http::App;
use crate::http::extract::{AppUser, Body};
use crate::http::problem::{ApiError, Kind};

/// Signs that a socket is the caller's.
pub(in crate::http) async fn user_auth(
    State(app): State<Arc<App>>,
    AppUser { id, until }: AppUser,
    Body(body): Body,
) -> Result<Json<UserAuthentication>, ApiError> {
    let Fields { socket_id, .. } = fields(&body)?;
    let socket_id = socket_id_of(socket_id)?;
    // A user that can have no channel of its own cannot be signed in.
    let own = ChannelName::of_user(id.as_str()).map_err(|error| ApiError::invalid(error.to_string()))?;
    app.authorize(&socket_id, &own, until);
    app.signer
        .authenticate_user(&socket_id, &json!({"id": id.as_str()}).to_string())
        .map(Json)
        .map_err(|error| ApiError::bare(Kind::Internal).with_cause(error.to_string()))
}
