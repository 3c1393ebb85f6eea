use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pusher_protocol::{ChannelName, SocketId};
use pusher_signer::ChannelAuthorization;
use serde::Deserialize;

use crate::http::App;
use crate::http::extract::{AppUser, Body};
use crate::http::openapi::{Refused, Signed};
use crate::http::problem::{ApiError, Kind};

/// What Pusher's libraries send, and what VaahFlutter sends. A null or an empty value is none.
#[derive(Deserialize, utoipa::ToSchema)]
pub(in crate::http) struct Fields {
    /// The connection's, like `1234.5678`.
    #[serde(default, alias = "socketId")]
    #[schema(required = true, nullable = false, pattern = r"^[0-9]+\.[0-9]+$")]
    pub(super) socket_id: Option<String>,
    /// The caller's own channel.
    #[serde(default, alias = "channelName")]
    #[schema(required = true, nullable = false, min_length = 1, max_length = 164)]
    channel_name: Option<String>,
}

/// Signs the caller's own channel for a socket, and no other.
#[utoipa::path(
    post,
    path = "/pusher/auth",
    tag = "Channels",
    security(("token" = [])),
    request_body(content((Fields = "application/x-www-form-urlencoded"), (Fields = "application/json"))),
    responses((status = 200, description = "The signature, as Pusher's clients take it.", body = Signed), Refused),
)]
pub(in crate::http) async fn channel_auth(
    State(app): State<Arc<App>>,
    AppUser { id, until }: AppUser,
    Body(body): Body,
) -> Result<Json<ChannelAuthorization>, ApiError> {
    let Fields { socket_id, channel_name } = fields(&body)?;
    let socket_id = socket_id_of(socket_id)?;
    let channel = ChannelName::new(given("channel_name", channel_name)?)
        .map_err(|error| ApiError::invalid(format!("`channel_name`: {error}")))?;
    let own = app.channels.channel(&id).map_err(|error| ApiError::invalid(error.to_string()))?;
    if channel != own {
        return Err(ApiError::forbidden("this channel is not the caller's own"));
    }
    app.authorize(&socket_id, &own, until);
    app.signer
        .authorize_channel(&socket_id, &own, None)
        .map(Json)
        .map_err(|error| ApiError::bare(Kind::Internal).with_cause(error.to_string()))
}

/// A form, or a JSON object: some clients name neither as what it is.
pub(super) fn fields(body: &[u8]) -> Result<Fields, ApiError> {
    match body.trim_ascii_start().first() {
        Some(b'{') => crate::http::extract::parse(body),
        _ => serde_urlencoded::from_bytes(body)
            .map_err(|error| ApiError::malformed(format!("the body is neither a form nor JSON: {error}"))),
    }
}

pub(super) fn socket_id_of(field: Option<String>) -> Result<SocketId, ApiError> {
    SocketId::new(given("socket_id", field)?)
        .map_err(|error| ApiError::invalid(format!("`socket_id`: {error}")))
}

fn given(name: &str, value: Option<String>) -> Result<String, ApiError> {
    let value = value.filter(|value| !value.is_empty());
    value.ok_or_else(|| ApiError::malformed(format!("`{name}` is needed")))
}
