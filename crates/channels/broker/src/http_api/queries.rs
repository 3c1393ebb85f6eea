use std::collections::BTreeMap;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tokio::task::spawn_blocking;

use super::info::{ChannelInfo, RequestedInfo};
use super::{ApiError, SignedRequest, json, parse_channel};
use crate::apps::Apps;

/// `GET /apps/{id}/channels`: lists the occupied channels.
pub(crate) async fn channels(
    State(apps): State<Apps>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Channels<'a> {
        channels: BTreeMap<&'a str, ChannelInfo>,
    }
    let (broker, request) = SignedRequest::verify(&apps, &id, request).await?;
    let prefix = request.parameter("filter_by_prefix").unwrap_or_default().into_owned();
    let requested = RequestedInfo::parse(request.parameter("info").as_deref())?;
    if requested.subscription_count || requested.cache {
        return Err(ApiError::bad_request("The only info attribute of a list of channels is user_count"));
    }
    if requested.user_count && !prefix.starts_with("presence-") {
        return Err(ApiError::bad_request(
            "user_count may only be requested for presence channels - please supply filter_by_prefix beginning with presence-",
        ));
    }
    let info = move |users| match requested.user_count {
        true => ChannelInfo::of_users(users),
        false => ChannelInfo::default(),
    };
    // A long list would hold up the connections whose turn it is on the same thread.
    let listing = spawn_blocking(move || {
        let channels = broker.shared.registry.channels(&prefix);
        let channels = channels.iter().map(|(name, users)| (name.as_str(), info(*users)));
        json(&Channels { channels: channels.collect() })
    });
    listing.await.map_err(|_| ApiError(StatusCode::INTERNAL_SERVER_ERROR, "The list failed".to_owned()))
}

/// `GET /apps/{id}/channels/{name}`: returns the state of one channel.
pub(crate) async fn channel(
    State(apps): State<Apps>,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Channel {
        occupied: bool,
        #[serde(flatten)]
        info: ChannelInfo,
    }
    let (broker, request) = SignedRequest::verify(&apps, &id, request).await?;
    let channel = parse_channel(name)?;
    let requested = RequestedInfo::parse(request.parameter("info").as_deref())?;
    if requested.user_count && !channel.kind().is_presence() {
        return Err(ApiError::bad_request(
            "Cannot retrieve the user count unless the channel is a presence channel",
        ));
    }
    if requested.cache && !channel.kind().is_cache() {
        return Err(ApiError::bad_request("Cannot retrieve the cache unless the channel is a cache channel"));
    }
    let (occupied, info) = requested.look_up(&broker, &channel);
    Ok(json(&Channel { occupied, info }))
}

/// `GET /apps/{id}/channels/{name}/users`: lists the users of a presence channel.
pub(crate) async fn users(
    State(apps): State<Apps>,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Users {
        users: Vec<User>,
    }
    #[derive(Serialize)]
    struct User {
        id: String,
    }
    let (broker, _) = SignedRequest::verify(&apps, &id, request).await?;
    let channel = parse_channel(name)?;
    if !channel.kind().is_presence() {
        return Err(ApiError::bad_request("Users can only be retrieved for presence channels"));
    }
    let users = broker.shared.registry.members(&channel).into_iter().map(|id| User { id }).collect();
    Ok(json(&Users { users }))
}
