use axum::extract::{Path, Request, State};
use axum::response::Response;
use pusher_protocol::ChannelName;

use super::{Empty, Refusal, authenticated, json};
use crate::broker::Broker;

/// `POST /apps/{id}/users/{user}/terminate_connections`: those that signed in as the user.
pub(crate) async fn terminate_connections(
    State(broker): State<Broker>,
    Path((id, user)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    authenticated(&broker, &id, request).await?;
    ChannelName::of_user(&user).map_err(|why| Refusal::bad(format!("Invalid user id: {why}")))?;
    broker.terminate_connections(&user);
    Ok(json(&Empty {}))
}
