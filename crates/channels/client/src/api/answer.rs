use std::collections::BTreeMap;

use reqwest::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::info::{ChannelCounts, ChannelInfo};
use crate::{Error, ErrorKind};

/// How much of an error's text is read.
const MAX_ERROR_TEXT: usize = 512;
/// How much of an answer is read: enough for a hundred thousand channels.
const MAX_ANSWER: usize = 16 << 20;

pub(super) fn channels(answer: &[u8]) -> Result<BTreeMap<String, ChannelCounts>, Error> {
    #[derive(Deserialize)]
    struct Channels {
        channels: BTreeMap<String, ChannelCounts>,
    }
    parse(answer).map(|Channels { channels }| channels)
}

/// The entries of `events` events, in their order.
pub(super) fn batch(answer: &[u8], events: usize) -> Result<Vec<ChannelCounts>, Error> {
    #[derive(Deserialize)]
    struct Batch {
        batch: Vec<ChannelCounts>,
    }
    let Batch { batch } = parse(answer)?;
    if batch.len() == events { Ok(batch) } else { Err(unexpected()) }
}

pub(super) fn channel(answer: &[u8]) -> Result<ChannelInfo, Error> {
    parse(answer)
}

pub(super) fn users(answer: &[u8]) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Users {
        users: Vec<User>,
    }
    #[derive(Deserialize)]
    struct User {
        id: Id,
    }
    // A number in `channel_data` comes back as one from some servers.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Text(String),
        Number(serde_json::Number),
    }
    let Users { users } = parse(answer)?;
    let text = |user: User| match user.id {
        Id::Text(text) => text,
        Id::Number(number) => number.to_string(),
    };
    Ok(users.into_iter().map(text).collect())
}

fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(answer).map_err(|_| unexpected())
}

fn unexpected() -> Error {
    Error::new(ErrorKind::UnexpectedAnswer, "the HTTP API's answer is not the documented one")
}

/// The body of an answer that is a success.
pub(super) async fn body(mut answer: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable_server(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(unexpected());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(super) fn unreachable_server(error: &reqwest::Error) -> Error {
    match error.is_timeout() {
        true => Error::new(ErrorKind::Timeout, "the HTTP API did not answer in time"),
        false => Error::new(ErrorKind::Network, "the HTTP API could not be reached"),
    }
}

/// The error of an answer. A 401's text is left out: it repeats what was signed.
pub(super) async fn refusal(mut answer: Response) -> Error {
    let status = answer.status().as_u16();
    let kind = ErrorKind::of_status(status);
    let mut text = Vec::new();
    if kind != ErrorKind::Unauthorized {
        while let Ok(Some(chunk)) = answer.chunk().await {
            text.extend(chunk.iter().take(MAX_ERROR_TEXT - text.len()));
            if text.len() == MAX_ERROR_TEXT {
                break;
            }
        }
    }
    let text: String = String::from_utf8_lossy(&text).chars().filter(|char| !char.is_control()).collect();
    let message = match (kind, text.trim()) {
        (ErrorKind::Unauthorized, _) => {
            "the HTTP API answered 401: key, secret or clock are not right".to_owned()
        }
        (_, "") => format!("the HTTP API answered {status}"),
        (_, text) => format!("the HTTP API answered {status}: {text}"),
    };
    Error::new(kind, message).with_code(Some(status))
}
