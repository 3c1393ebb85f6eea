use axum::extract::{Path, Request, State};
use axum::response::Response;
use pusher_protocol::ChannelName;

use super::{ApiError, Empty, SignedRequest, json};
use crate::apps::Apps;

/// `POST /apps/{id}/users/{user}/terminate_connections`: closes the connections of a signed-in
/// user.
pub(crate) async fn terminate_connections(
    State(apps): State<Apps>,
    Path((id, user)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (broker, _) = SignedRequest::verify(&apps, &id, request).await?;
    ChannelName::of_user(&user)
        .map_err(|error| ApiError::bad_request(format!("Invalid user id: {error}")))?;
    broker.terminate_connections(&user);
    Ok(json(&Empty {}))
}
