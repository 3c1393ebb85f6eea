mod body;
mod events;
mod info;
mod queries;
mod signed_request;
mod users;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use pusher_protocol::{ChannelName, Object};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
pub(crate) use events::{batch_events, events};
pub(crate) use queries::{channel, channels, users};
use signed_request::SignedRequest;
pub(crate) use users::terminate_connections;

/// An error response in plain text, like Pusher's.
pub(crate) struct ApiError(StatusCode, String);

impl ApiError {
    fn bad_request(text: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, text.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.0, self.1).into_response();
        if self.0 == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::DataTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            // Errors of settings, which a request has none of.
            ErrorKind::InvalidOrigin | ErrorKind::InvalidProxy => StatusCode::BAD_REQUEST,
        };
        Self(status, error.to_string())
    }
}

impl From<pusher_signer::Error> for ApiError {
    fn from(error: pusher_signer::Error) -> Self {
        Self(StatusCode::UNAUTHORIZED, error.to_string())
    }
}

fn parse_body<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, ApiError> {
    let Object(value) = serde_json::from_slice(body).map_err(|error| {
        let error: String = error.to_string().chars().take(200).collect();
        ApiError::bad_request(format!("The body is not the expected JSON: {error}"))
    })?;
    Ok(value)
}

fn parse_channel(name: String) -> Result<ChannelName, ApiError> {
    ChannelName::new(name).map_err(|error| ApiError::bad_request(format!("Invalid channel name: {error}")))
}

fn json<T: Serialize>(answer: &T) -> Response {
    // Serializing strings and numbers cannot fail.
    let text = serde_json::to_string(answer).unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

/// `{}`, Pusher's response to a call without a result.
#[derive(Serialize)]
struct Empty {}
