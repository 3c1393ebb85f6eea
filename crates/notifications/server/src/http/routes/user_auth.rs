use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pusher_protocol::ChannelName;
use pusher_signer::UserAuthentication;
use serde_json::json;

use super::channel_auth::{Fields, fields, parse_socket_id};
use crate::http::AppState;
use crate::http::extract::{AppUser, AuthBody};
use crate::http::openapi::{Rejected, UserSignature};
use crate::http::problem::{ApiError, Kind};

/// The fields of a sign-in.
#[derive(utoipa::ToSchema)]
#[schema(as = UserAuthFields)]
#[allow(dead_code)] // Only described: the handler parses [`Fields`].
pub(in crate::http) struct SignInFields {
    /// The socket id of the connection, like `1234.5678`.
    #[schema(pattern = r"^[0-9]+\.[0-9]+$")]
    socket_id: String,
}

/// Authenticates a connection as the caller's.
#[utoipa::path(
    post,
    path = "/pusher/user-auth",
    tag = "Channels",
    security(("token" = [])),
    request_body(content((SignInFields = "application/x-www-form-urlencoded"), (SignInFields = "application/json"))),
    responses((status = 200, description = "The signature, as Pusher's client libraries expect it.", body = UserSignature), Rejected),
)]
pub(in crate::http) async fn user_auth(
    State(app): State<Arc<AppState>>,
    AppUser { id, expires_at }: AppUser,
    AuthBody(body): AuthBody,
) -> Result<Json<UserAuthentication>, ApiError> {
    let Fields { socket_id, .. } = fields(&body)?;
    let socket_id = parse_socket_id(socket_id)?;
    // Signing in subscribes to the user's own server channel, which needs a valid name.
    let own = ChannelName::of_user(id.as_str()).map_err(|error| ApiError::invalid(error.to_string()))?;
    app.authorize(&socket_id, &own, expires_at);
    app.realtime
        .signer
        .authenticate_user(&socket_id, &json!({"id": id.as_str()}).to_string())
        .map(Json)
        .map_err(|error| ApiError::bare(Kind::Internal).with_cause(error))
}
