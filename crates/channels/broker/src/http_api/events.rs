use std::collections::BTreeMap;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use pusher_protocol::{ChannelName, EventName, Object, SocketId, limits};
use serde::{Deserialize, Serialize};

use super::info::{ChannelInfo, RequestedInfo};
use super::{ApiError, Empty, SignedRequest, json, parse_body, parse_channel};
use crate::apps::Apps;
use crate::broker::Broker;

/// `POST /apps/{id}/events`: publishes an event.
pub(crate) async fn events(
    State(apps): State<Apps>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Published<'a> {
        channels: BTreeMap<&'a str, ChannelInfo>,
    }
    let (broker, request) = SignedRequest::verify(&apps, &id, request).await?;
    let event = parse_body::<Event>(&request.body)?.validate(&broker)?;
    event.publish(&broker)?;
    let Some(info) = event.info else { return Ok(json(&Empty {})) };
    let channels = event.channels.iter().map(|channel| (channel.as_str(), info.look_up(&broker, channel).1));
    Ok(json(&Published { channels: channels.collect() }))
}

/// `POST /apps/{id}/batch_events`: publishes all events or, if one is invalid, none.
pub(crate) async fn batch_events(
    State(apps): State<Apps>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Deserialize)]
    struct Batch {
        batch: Vec<Object<Event>>,
    }
    #[derive(Serialize)]
    struct Published {
        batch: Vec<ChannelInfo>,
    }
    let (broker, request) = SignedRequest::verify(&apps, &id, request).await?;
    let Batch { batch } = parse_body(&request.body)?;
    if batch.len() > limits::EVENTS_PER_BATCH {
        return Err(ApiError::bad_request(format!(
            "A batch has at most {} events",
            limits::EVENTS_PER_BATCH
        )));
    }
    if batch.iter().any(|Object(event)| event.channels.is_some()) {
        return Err(ApiError::bad_request("An event in a batch needs `channel` instead of `channels`"));
    }
    let events =
        batch.into_iter().map(|Object(event)| event.validate(&broker)).collect::<Result<Vec<_>, _>>()?;
    events.iter().try_for_each(|event| event.publish(&broker))?;
    if events.iter().all(|event| event.info.is_none()) {
        return Ok(json(&Empty {}));
    }
    let info = |event: &ValidEvent| {
        let info = event.info.unwrap_or_default();
        event.channels.first().map(|channel| info.look_up(&broker, channel).1).unwrap_or_default()
    };
    Ok(json(&Published { batch: events.iter().map(info).collect() }))
}

/// An event as the caller sent it.
#[derive(Deserialize)]
struct Event {
    name: Option<String>,
    data: Option<String>,
    channel: Option<String>,
    channels: Option<Vec<String>>,
    socket_id: Option<String>,
    info: Option<String>,
}

/// An event that was checked and can be published.
struct ValidEvent {
    name: EventName,
    data: String,
    channels: Vec<ChannelName>,
    except: Option<SocketId>,
    info: Option<RequestedInfo>,
}

impl Event {
    fn validate(self, broker: &Broker) -> Result<ValidEvent, ApiError> {
        let name = self.name.ok_or_else(|| ApiError::bad_request("Missing parameter: name"))?;
        let name = EventName::new(name)
            .map_err(|error| ApiError::bad_request(format!("Invalid event name: {error}")))?;
        let data = self.data.ok_or_else(|| ApiError::bad_request("Missing parameter: data"))?;
        let names = match (self.channel, self.channels) {
            (Some(channel), None) => vec![channel],
            (None, Some(channels)) => channels,
            (Some(_), Some(_)) => {
                return Err(ApiError::bad_request("Either `channel` or `channels` is required, not both"));
            }
            (None, None) => return Err(ApiError::bad_request("Missing parameter: channels")),
        };
        if names.is_empty() || names.len() > limits::CHANNELS_PER_EVENT {
            let text = format!("An event needs between 1 and {} channels", limits::CHANNELS_PER_EVENT);
            return Err(ApiError::bad_request(text));
        }
        let info = self.info.map(|info| RequestedInfo::parse(Some(&info))).transpose()?;
        if info.is_some_and(|info| info.cache) {
            return Err(ApiError::bad_request("The info attribute cache is not available when publishing"));
        }
        let except = self.socket_id.map(SocketId::new).transpose();
        let except = except.map_err(|error| ApiError::bad_request(format!("Invalid socket_id: {error}")))?;
        broker.check_data(&data)?;
        let mut channels = Vec::with_capacity(names.len());
        for name in names {
            let channel = parse_channel(name)?;
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
        Ok(ValidEvent { name, data, channels, except, info })
    }
}

impl ValidEvent {
    fn publish(&self, broker: &Broker) -> Result<(), ApiError> {
        for channel in &self.channels {
            broker.publish(channel, &self.name, &self.data, self.except.as_ref())?;
        }
        Ok(())
    }
}
