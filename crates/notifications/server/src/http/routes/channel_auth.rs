use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pusher_protocol::{ChannelName, SocketId};
use pusher_signer::ChannelAuthorization;
use serde::Deserialize;

use crate::http::AppState;
use crate::http::extract::{AppUser, AuthBody};
use crate::http::openapi::{ChannelSignature, Rejected};
use crate::http::problem::{ApiError, Kind};

/// The fields as Pusher's libraries or VaahFlutter send them. A null or empty value counts as
/// absent.
// `pusher_signer::AuthRequest` reads the same, but does not distinguish what is malformed (400)
// from what is invalid (422).
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = ChannelAuthFields)]
pub(in crate::http) struct Fields {
    /// The socket id of the connection, like `1234.5678`.
    #[serde(default, alias = "socketId")]
    #[schema(required = true, nullable = false, pattern = r"^[0-9]+\.[0-9]+$")]
    pub(super) socket_id: Option<String>,
    /// The name of the caller's own channel.
    #[serde(default, alias = "channelName")]
    #[schema(required = true, nullable = false, min_length = 1, max_length = 164)]
    channel_name: Option<String>,
}

/// Authorizes a connection to subscribe to the caller's own channel, and to no other.
#[utoipa::path(
    post,
    path = "/pusher/auth",
    tag = "Channels",
    security(("token" = [])),
    request_body(content((Fields = "application/x-www-form-urlencoded"), (Fields = "application/json"))),
    responses((status = 200, description = "The signature, as Pusher's client libraries expect it.", body = ChannelSignature), Rejected),
)]
pub(in crate::http) async fn channel_auth(
    State(app): State<Arc<AppState>>,
    AppUser { id, expires_at }: AppUser,
    AuthBody(body): AuthBody,
) -> Result<Json<ChannelAuthorization>, ApiError> {
    let Fields { socket_id, channel_name } = fields(&body)?;
    let socket_id = parse_socket_id(socket_id)?;
    let channel = ChannelName::new(required("channel_name", channel_name)?)
        .map_err(|error| ApiError::invalid(format!("`channel_name`: {error}")))?;
    let own = app.config.channel_prefix.channel(&id).map_err(|error| ApiError::invalid(error.to_string()))?;
    if channel != own {
        return Err(ApiError::forbidden("this is not the caller's own channel"));
    }
    app.authorize(&socket_id, &own, expires_at);
    app.realtime
        .signer
        .authorize_channel(&socket_id, &own, None)
        .map(Json)
        .map_err(|error| ApiError::bare(Kind::Internal).with_cause(error))
}

/// Parses a form or a JSON object, whatever the content type: some clients send a wrong one.
pub(super) fn fields(body: &[u8]) -> Result<Fields, ApiError> {
    match body.trim_ascii_start().first() {
        Some(b'{') => crate::http::extract::parse(body),
        _ => serde_urlencoded::from_bytes(body)
            .map_err(|error| ApiError::malformed(format!("the body is neither a form nor JSON: {error}"))),
    }
}

pub(super) fn parse_socket_id(field: Option<String>) -> Result<SocketId, ApiError> {
    SocketId::new(required("socket_id", field)?)
        .map_err(|error| ApiError::invalid(format!("`socket_id`: {error}")))
}

fn required(name: &str, value: Option<String>) -> Result<String, ApiError> {
    let value = value.filter(|value| !value.is_empty());
    value.ok_or_else(|| ApiError::malformed(format!("`{name}` is required")))
}
