use std::collections::BTreeMap;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use pusher_protocol::{ChannelName, EventName, SocketId, limits};
use serde::{Deserialize, Serialize};

use super::attributes::{Attributes, Wanted};
use super::{Empty, Refusal, authenticated, channel_name, json, read};
use crate::broker::Broker;

/// `POST /apps/{id}/events`.
pub(crate) async fn events(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Answer<'a> {
        channels: BTreeMap<&'a str, Attributes>,
    }
    let request = authenticated(&broker, &id, request).await?;
    let event = read::<Event>(&request.body)?.check(&broker)?;
    event.publish(&broker)?;
    let Some(wanted) = event.wanted else { return Ok(json(&Empty {})) };
    let channels = event.channels.iter().map(|channel| (channel.as_str(), wanted.of(&broker, channel).1));
    Ok(json(&Answer { channels: channels.collect() }))
}

/// `POST /apps/{id}/batch_events`: all of them, or none.
pub(crate) async fn batch_events(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    #[derive(Deserialize)]
    struct Batch {
        batch: Vec<Event>,
    }
    #[derive(Serialize)]
    struct Answer {
        batch: Vec<Attributes>,
    }
    let request = authenticated(&broker, &id, request).await?;
    let Batch { batch } = read(&request.body)?;
    if batch.len() > limits::EVENTS_PER_BATCH {
        return Err(Refusal::bad(format!("A batch has at most {} events", limits::EVENTS_PER_BATCH)));
    }
    if batch.iter().any(|event| event.channels.is_some()) {
        return Err(Refusal::bad("An event of a batch has one `channel`, not `channels`"));
    }
    let events = batch.into_iter().map(|event| event.check(&broker)).collect::<Result<Vec<_>, _>>()?;
    events.iter().try_for_each(|event| event.publish(&broker))?;
    if events.iter().all(|event| event.wanted.is_none()) {
        return Ok(json(&Empty {}));
    }
    let attributes = |event: &Checked| {
        let wanted = event.wanted.unwrap_or_default();
        event.channels.first().map(|channel| wanted.of(&broker, channel).1).unwrap_or_default()
    };
    Ok(json(&Answer { batch: events.iter().map(attributes).collect() }))
}

/// An event as it is asked for.
#[derive(Deserialize)]
struct Event {
    name: Option<String>,
    data: Option<String>,
    channel: Option<String>,
    channels: Option<Vec<String>>,
    socket_id: Option<String>,
    info: Option<String>,
}

/// An event that can be published.
struct Checked {
    name: EventName,
    data: String,
    channels: Vec<ChannelName>,
    except: Option<SocketId>,
    wanted: Option<Wanted>,
}

impl Event {
    fn check(self, broker: &Broker) -> Result<Checked, Refusal> {
        let name = self.name.ok_or_else(|| Refusal::bad("Missing parameter: name"))?;
        let name = EventName::new(name).map_err(|why| Refusal::bad(format!("Invalid event name: {why}")))?;
        let data = self.data.ok_or_else(|| Refusal::bad("Missing parameter: data"))?;
        let names = match (self.channel, self.channels) {
            (Some(channel), None) => vec![channel],
            (None, Some(channels)) => channels,
            (Some(_), Some(_)) => {
                return Err(Refusal::bad("Either `channel` or `channels` is required, not both"));
            }
            (None, None) => return Err(Refusal::bad("Missing parameter: channels")),
        };
        if names.is_empty() || names.len() > limits::CHANNELS_PER_EVENT {
            let text =
                format!("An event goes to at least one and at most {} channels", limits::CHANNELS_PER_EVENT);
            return Err(Refusal::bad(text));
        }
        let wanted = self.info.map(|info| Wanted::parse(Some(&info))).transpose()?;
        if wanted.is_some_and(|wanted| wanted.cache) {
            return Err(Refusal::bad("The info attribute cache is not one of a published event"));
        }
        let except = self.socket_id.map(SocketId::new).transpose();
        let except = except.map_err(|why| Refusal::bad(format!("Invalid socket_id: {why}")))?;
        broker.check(&data)?;
        let mut channels = Vec::with_capacity(names.len());
        for name in names {
            let channel = channel_name(name)?;
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
        Ok(Checked { name, data, channels, except, wanted })
    }
}

impl Checked {
    fn publish(&self, broker: &Broker) -> Result<(), Refusal> {
        for channel in &self.channels {
            broker.publish(channel, &self.name, &self.data, self.except.as_ref())?;
        }
        Ok(())
    }
}
