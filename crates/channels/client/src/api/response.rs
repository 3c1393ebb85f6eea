use std::collections::BTreeMap;

use pusher_protocol::Object;
use reqwest::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::info::{ChannelCounts, ChannelInfo};
use crate::connect_error::http_error;
use crate::{Error, ErrorKind};

/// The most bytes that are read of an error's text.
const MAX_ERROR_TEXT: usize = 512;
/// The largest response: enough for a hundred thousand channels.
const MAX_BODY: usize = 16 << 20;

pub(super) fn channels(body: &[u8]) -> Result<BTreeMap<String, ChannelCounts>, Error> {
    #[derive(Deserialize)]
    struct Channels {
        channels: BTreeMap<String, Object<ChannelCounts>>,
    }
    let Channels { channels } = parse(body)?;
    Ok(channels.into_iter().map(|(name, Object(counts))| (name, counts)).collect())
}

/// Checks the response to events that asked for nothing. Servers answer with different JSON, or
/// with nothing; a page is the answer of a proxy or of another kind of server.
pub(super) fn accepted(body: &[u8]) -> Result<(), Error> {
    match body.trim_ascii_start().first() {
        Some(b'<') => Err(unexpected()),
        _ => Ok(()),
    }
}

/// Parses the counts of a batch of `events` events, in order.
pub(super) fn batch(body: &[u8], events: usize) -> Result<Vec<ChannelCounts>, Error> {
    #[derive(Deserialize)]
    struct Batch {
        batch: Vec<Object<ChannelCounts>>,
    }
    let Batch { batch } = parse(body)?;
    if batch.len() != events {
        return Err(unexpected());
    }
    Ok(batch.into_iter().map(|Object(counts)| counts).collect())
}

pub(super) fn channel(body: &[u8]) -> Result<ChannelInfo, Error> {
    parse(body)
}

pub(super) fn users(body: &[u8]) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Users {
        users: Vec<Object<User>>,
    }
    #[derive(Deserialize)]
    struct User {
        id: Id,
    }
    // Some servers return a number if `channel_data` contained a number.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Text(String),
        Number(serde_json::Number),
    }
    let Users { users } = parse(body)?;
    let text = |Object(user): Object<User>| match user.id {
        Id::Text(text) => text,
        Id::Number(number) => number.to_string(),
    };
    Ok(users.into_iter().map(text).collect())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let Object(answer) = serde_json::from_slice(body).map_err(|error| {
        // The error itself may quote the response.
        let (line, column) = (error.line(), error.column());
        unexpected().with_cause(format!("it is malformed at line {line}, column {column}"))
    })?;
    Ok(answer)
}

fn unexpected() -> Error {
    Error::new(
        ErrorKind::UnexpectedAnswer,
        "the response of the Pusher API does not have the documented form",
    )
}

/// Reads the body of a successful response.
pub(super) async fn body(mut response: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(unexpected());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Returns the error for a request without a response. The URL is omitted: it contains the
/// signature.
pub(super) fn unreachable(error: reqwest::Error) -> Error {
    let error = http_error(error);
    let (kind, code) = (error.kind(), error.code());
    let message = match kind {
        ErrorKind::Timeout => "the Pusher API did not answer in time",
        _ => "the Pusher API could not be reached",
    };
    Error::new(kind, message).with_code(code).with_cause(error)
}

/// Returns the error for an unsuccessful response. The text of a 401 is omitted: it repeats what
/// was signed.
pub(super) async fn rejection(mut response: Response) -> Error {
    let status = response.status().as_u16();
    let kind = ErrorKind::of_status(status);
    let mut text = Vec::new();
    if kind != ErrorKind::Unauthorized {
        while let Ok(Some(chunk)) = response.chunk().await {
            text.extend(chunk.iter().take(MAX_ERROR_TEXT - text.len()));
            if text.len() == MAX_ERROR_TEXT {
                break;
            }
        }
    }
    let text: String = String::from_utf8_lossy(&text).chars().filter(|char| !char.is_control()).collect();
    let message = match (kind, text.trim()) {
        (ErrorKind::Unauthorized, _) => {
            "the Pusher API answered 401: check the app key, the secret and the clock".to_owned()
        }
        (_, "") => format!("the Pusher API answered {status}"),
        (_, text) => format!("the Pusher API answered {status}: {text}"),
    };
    Error::new(kind, message).with_code(Some(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_no_last_event() {
        let object = channel(br#"{"occupied":true,"cache":{"data":"x","ttl":1}}"#).unwrap();
        assert_eq!(object.cache.map(|cached| cached.data).as_deref(), Some("x"));
        assert!(channel(br#"{"occupied":true,"cache":["x",1]}"#).is_err());
    }

    #[test]
    fn an_error_does_not_quote_the_response() {
        let error = channels(br#"{"channels":"hidden-value"}"#).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "it is malformed at line 1, column 26");
    }

    #[test]
    fn a_page_does_not_accept_events() {
        for body in ["", "{}", "{\"ok\":true}", "ok"] {
            assert_eq!(accepted(body.as_bytes()), Ok(()), "{body}");
        }
        for body in ["<html>", "\n <!doctype html>", "<?xml version=\"1.0\"?>"] {
            let error = accepted(body.as_bytes()).unwrap_err();
            assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::UnexpectedAnswer, false), "{body}");
        }
    }
}
