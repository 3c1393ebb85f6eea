use std::collections::BTreeMap;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde::Serialize;

use super::attributes::{Attributes, Wanted};
use super::{Refusal, authenticated, channel_name, json};
use crate::broker::Broker;

/// `GET /apps/{id}/channels`: the occupied channels.
pub(crate) async fn channels(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Answer {
        channels: BTreeMap<String, Attributes>,
    }
    let request = authenticated(&broker, &id, request).await?;
    let prefix = request.parameter("filter_by_prefix").unwrap_or_default();
    let wanted = Wanted::parse(request.parameter("info"))?;
    if wanted.subscription_count || wanted.cache {
        return Err(Refusal::bad("The only info attribute of many channels is user_count"));
    }
    if wanted.user_count && !prefix.starts_with("presence-") {
        return Err(Refusal::bad(
            "user_count may only be requested for presence channels - please supply filter_by_prefix beginning with presence-",
        ));
    }
    let attributes = |users| if wanted.user_count { Attributes::users(users) } else { Attributes::default() };
    let channels = broker.shared.registry.channels(prefix).into_iter();
    Ok(json(&Answer { channels: channels.map(|(name, users)| (name, attributes(users))).collect() }))
}

/// `GET /apps/{id}/channels/{name}`.
pub(crate) async fn channel(
    State(broker): State<Broker>,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Answer {
        occupied: bool,
        #[serde(flatten)]
        attributes: Attributes,
    }
    let request = authenticated(&broker, &id, request).await?;
    let channel = channel_name(name)?;
    let wanted = Wanted::parse(request.parameter("info"))?;
    if wanted.user_count && !channel.kind().is_presence() {
        return Err(Refusal::bad("Cannot retrieve the user count unless the channel is a presence channel"));
    }
    if wanted.cache && !channel.kind().is_cache() {
        return Err(Refusal::bad("Cannot retrieve the cache unless the channel is a cache channel"));
    }
    let (occupied, attributes) = wanted.of(&broker, &channel);
    Ok(json(&Answer { occupied, attributes }))
}

/// `GET /apps/{id}/channels/{name}/users`.
pub(crate) async fn users(
    State(broker): State<Broker>,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Answer {
        users: Vec<User>,
    }
    #[derive(Serialize)]
    struct User {
        id: String,
    }
    authenticated(&broker, &id, request).await?;
    let channel = channel_name(name)?;
    if !channel.kind().is_presence() {
        return Err(Refusal::bad("Users can only be retrieved for presence channels"));
    }
    let users = broker.shared.registry.members(&channel).into_iter().map(|id| User { id }).collect();
    Ok(json(&Answer { users }))
}
