use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use pusher_protocol::{ChannelName, EventName, SocketId, limits};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::broker::Broker;
use crate::error::{Error, ErrorKind};

/// `POST /apps/{id}/events`.
pub(crate) async fn events(
    State(broker): State<Broker>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let body = authenticated(&broker, &id, request).await?;
    read::<Event>(&body)?.check(&broker)?.publish(&broker)?;
    Ok(done())
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
    let body = authenticated(&broker, &id, request).await?;
    let Batch { batch } = read(&body)?;
    if batch.len() > limits::EVENTS_PER_BATCH {
        return Err(Refusal::bad(format!("A batch has at most {} events", limits::EVENTS_PER_BATCH)));
    }
    if batch.iter().any(|event| event.channels.is_some()) {
        return Err(Refusal::bad("An event of a batch has one `channel`, not `channels`"));
    }
    let events = batch.into_iter().map(|event| event.check(&broker)).collect::<Result<Vec<_>, _>>()?;
    events.iter().try_for_each(|event| event.publish(&broker))?;
    Ok(done())
}

/// Why a request was refused, in plain text as Pusher answers.
pub(crate) struct Refusal(StatusCode, String);

impl Refusal {
    fn bad(text: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, text.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::DataTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::UnservedChannel => StatusCode::BAD_REQUEST,
        };
        Self(status, error.to_string())
    }
}

impl From<pusher_signer::Error> for Refusal {
    fn from(error: pusher_signer::Error) -> Self {
        Self(StatusCode::UNAUTHORIZED, error.to_string())
    }
}

/// The body of a request that the app's secret signed.
async fn authenticated(broker: &Broker, id: &str, request: Request) -> Result<Bytes, Refusal> {
    if id != broker.shared.app.id {
        return Err(Refusal(StatusCode::NOT_FOUND, "No app has this id".to_owned()));
    }
    if broker.shared.registry.is_closed() {
        let text = "The server is shutting down".to_owned();
        return Err(Refusal(StatusCode::SERVICE_UNAVAILABLE, text));
    }
    let (parts, body) = request.into_parts();
    // Who did not sign is not listened to: `body_md5`, which the signature covers, is checked after it.
    match verify(broker, &parts, None) {
        Err(why) if why.kind() != pusher_signer::ErrorKind::BodyMd5 => return Err(why.into()),
        _ => {}
    }
    let body = read_body(broker, body).await?;
    verify(broker, &parts, Some(&body))?;
    Ok(body)
}

async fn read_body(broker: &Broker, body: Body) -> Result<Bytes, Refusal> {
    let limits = &broker.shared.limits;
    let collected = Limited::new(body, limits.body_bytes).collect();
    match tokio::time::timeout(limits.body_timeout, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(why)) if why.is::<LengthLimitError>() => {
            let text = format!("The body exceeds the allowed maximum ({} bytes)", limits.body_bytes);
            Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, text))
        }
        Ok(Err(_)) => Err(Refusal::bad("The body could not be read")),
        Err(_) => Err(Refusal(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time".to_owned())),
    }
}

fn verify(broker: &Broker, parts: &Parts, body: Option<&[u8]>) -> Result<(), pusher_signer::Error> {
    // What cannot be read has no signature.
    let query: Vec<(String, String)> =
        serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default();
    let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let request =
        pusher_signer::Request { method: parts.method.as_str(), path: parts.uri.path(), query: &query, body };
    broker.shared.app.signer.verify_request(&request, broker.now())
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|why| {
        let why: String = why.to_string().chars().take(200).collect();
        Refusal::bad(format!("The body is not the JSON that is expected: {why}"))
    })
}

fn done() -> Response {
    ([(CONTENT_TYPE, "application/json")], "{}").into_response()
}

/// An event as it is asked for.
#[derive(Deserialize)]
struct Event {
    name: Option<String>,
    data: Option<String>,
    channel: Option<String>,
    channels: Option<Vec<String>>,
    socket_id: Option<String>,
    info: Option<IgnoredAny>,
}

/// An event that can be published.
struct Checked {
    name: EventName,
    data: String,
    channels: Vec<ChannelName>,
    except: Option<SocketId>,
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
        if self.info.is_some() {
            return Err(Refusal::bad("This broker does not serve `info`"));
        }
        let except = self.socket_id.map(SocketId::new).transpose();
        let except = except.map_err(|why| Refusal::bad(format!("Invalid socket_id: {why}")))?;
        let mut channels = Vec::with_capacity(names.len());
        for name in names {
            let channel =
                ChannelName::new(name).map_err(|why| Refusal::bad(format!("Invalid channel name: {why}")))?;
            broker.check(&channel, &data)?;
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
        Ok(Checked { name, data, channels, except })
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
