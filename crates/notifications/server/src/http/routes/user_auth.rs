use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pusher_protocol::ChannelName;
use pusher_signer::UserAuthentication;
use serde_json::json;

use super::channel_auth::{Fields, fields, socket_id_of};
use crate::http::App;
use crate::http::extract::{AppUser, Body};
use crate::http::openapi::{Refused, SignedIn};
use crate::http::problem::{ApiError, Kind};

/// What a sign-in is asked with.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)] // Described, never made: it is read as [`Fields`].
pub(in crate::http) struct SignInFields {
    /// The connection's, like `1234.5678`.
    #[schema(pattern = r"^[0-9]+\.[0-9]+$")]
    socket_id: String,
}

/// Signs that a socket is the caller's.
#[utoipa::path(
    post,
    path = "/pusher/user-auth",
    tag = "Channels",
    security(("token" = [])),
    request_body(content((SignInFields = "application/x-www-form-urlencoded"), (SignInFields = "application/json"))),
    responses((status = 200, description = "The signature, as Pusher's clients take it.", body = SignedIn), Refused),
)]
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
