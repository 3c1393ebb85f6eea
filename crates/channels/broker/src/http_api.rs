mod attributes;
mod events;
mod queries;
mod users;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use pusher_protocol::ChannelName;
use serde::{Deserialize, Serialize};

use crate::broker::Broker;
use crate::error::{Error, ErrorKind};
pub(crate) use events::{batch_events, events};
pub(crate) use queries::{channel, channels, users};
pub(crate) use users::terminate_connections;

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
        };
        Self(status, error.to_string())
    }
}

impl From<pusher_signer::Error> for Refusal {
    fn from(error: pusher_signer::Error) -> Self {
        Self(StatusCode::UNAUTHORIZED, error.to_string())
    }
}

/// A request that the app's secret signed.
struct Authenticated {
    query: Vec<(String, String)>,
    body: Bytes,
}

impl Authenticated {
    /// The value of a query's parameter, if it is given.
    fn parameter(&self, wanted: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

async fn authenticated(broker: &Broker, id: &str, request: Request) -> Result<Authenticated, Refusal> {
    if id != broker.shared.app.id {
        return Err(Refusal(StatusCode::NOT_FOUND, "No app has this id".to_owned()));
    }
    if broker.shared.registry.is_closed() {
        let text = "The server is shutting down".to_owned();
        return Err(Refusal(StatusCode::SERVICE_UNAVAILABLE, text));
    }
    let (parts, body) = request.into_parts();
    // What cannot be read has no signature.
    let query: Vec<(String, String)> =
        serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default();
    // Who did not sign is not listened to: `body_md5`, which the signature covers, is checked after it.
    match verify(broker, &parts, &query, None) {
        Err(why) if why.kind() != pusher_signer::ErrorKind::BodyMd5 => return Err(why.into()),
        _ => {}
    }
    let body = read_body(broker, body).await?;
    verify(broker, &parts, &query, Some(&body))?;
    Ok(Authenticated { query, body })
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

fn verify(
    broker: &Broker,
    parts: &Parts,
    query: &[(String, String)],
    body: Option<&[u8]>,
) -> Result<(), pusher_signer::Error> {
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

fn channel_name(name: String) -> Result<ChannelName, Refusal> {
    ChannelName::new(name).map_err(|why| Refusal::bad(format!("Invalid channel name: {why}")))
}

fn json<T: Serialize>(answer: &T) -> Response {
    // Texts and numbers cannot fail to become JSON.
    let text = serde_json::to_string(answer).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

/// `{}`, Pusher's answer to what has none.
#[derive(Serialize)]
struct Empty {}
