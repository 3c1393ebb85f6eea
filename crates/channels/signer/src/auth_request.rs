use pusher_protocol::{ChannelName, Object, SocketId};
use serde::Deserialize;

use crate::error::{Error, ErrorKind};

/// What a client posts to an auth endpoint: its connection, and the channel that it wants to
/// subscribe to (Pusher's "authorizing users").
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthRequest {
    /// The connection.
    pub socket_id: SocketId,
    /// The channel. Absent if the client wants to sign in as a user.
    pub channel: Option<ChannelName>,
}

#[derive(Default, Deserialize)]
struct Fields {
    #[serde(default, alias = "socketId")]
    socket_id: Option<String>,
    #[serde(default, alias = "channelName")]
    channel_name: Option<String>,
}

impl AuthRequest {
    /// Reads the body of a request: a form, as Pusher's libraries send it, or a JSON object.
    /// `socketId` and `channelName` are accepted, too, and other fields ignored. The content type
    /// does not matter, since some clients send a wrong one.
    ///
    /// Bound the size of the body before; 4 KiB are plenty.
    ///
    /// # Errors
    /// Returns [`AuthRequest`](ErrorKind::AuthRequest) if the body is neither, if `socket_id` is
    /// missing, if a field is there twice, or if it is no socket id or no channel name. The text
    /// does not contain the body. Answer with status 400.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let Fields { socket_id, channel_name } = match body.trim_ascii_start().first() {
            Some(b'{') => {
                let Object(fields) = serde_json::from_slice(body).map_err(|error| {
                    let text = "the body is not a JSON object with the texts socket_id and channel_name";
                    Error::new(ErrorKind::AuthRequest, text).with_json_source(error)
                })?;
                fields
            }
            _ => form(body)?,
        };
        let invalid = |name: &str, problem: &dyn std::fmt::Display| {
            Error::new(ErrorKind::AuthRequest, format!("{name}: {problem}"))
        };
        let socket_id = socket_id.unwrap_or_default();
        if socket_id.is_empty() {
            return Err(Error::new(ErrorKind::AuthRequest, "socket_id is required"));
        }
        let socket_id = SocketId::new(socket_id).map_err(|error| invalid("socket_id", &error))?;
        let channel = channel_name.filter(|name| !name.is_empty()).map(ChannelName::new).transpose();
        Ok(Self { socket_id, channel: channel.map_err(|error| invalid("channel_name", &error))? })
    }
}

fn form(body: &[u8]) -> Result<Fields, Error> {
    let mut fields = Fields::default();
    for (name, value) in form_urlencoded::parse(body) {
        let field = match name.as_ref() {
            "socket_id" | "socketId" => &mut fields.socket_id,
            "channel_name" | "channelName" => &mut fields.channel_name,
            _ => continue,
        };
        if field.replace(value.into_owned()).is_some() {
            let text = format!("{name} is there twice");
            return Err(Error::new(ErrorKind::AuthRequest, text));
        }
    }
    Ok(fields)
}
