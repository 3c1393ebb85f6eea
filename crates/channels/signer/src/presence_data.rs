use std::fmt;

use pusher_protocol::{ChannelName, SocketId, limits};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::channel::ChannelAuthorization;
use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

/// Who joins a presence channel, as the other members see it (Pusher's "presence channels").
/// `Debug` shows the id alone.
#[derive(Clone, Serialize)]
pub struct PresenceData {
    user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_info: Option<Box<RawValue>>,
}

impl PresenceData {
    /// Names the user; without further information.
    ///
    /// # Errors
    /// Returns [`ChannelData`](ErrorKind::ChannelData) if the id is empty or has more than 128
    /// characters.
    pub fn new(user_id: impl Into<String>) -> Result<Self, Error> {
        let user_id = user_id.into();
        if user_id.is_empty() || user_id.chars().count() > limits::USER_ID {
            let text = format!("the user_id of a member has 1 to {} characters", limits::USER_ID);
            return Err(Error::new(ErrorKind::ChannelData, text));
        }
        Ok(Self { user_id, user_info: None })
    }

    /// Adds what the other members are shown of the user, such as a name.
    ///
    /// # Errors
    /// Returns [`ChannelData`](ErrorKind::ChannelData) if it takes more than 1,024 bytes of JSON,
    /// or cannot be written as JSON.
    pub fn with_info(self, info: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        Ok(Self { user_info: Some(user_info(ErrorKind::ChannelData, info)?), ..self })
    }
}

impl Signer {
    /// Permits the connection `socket_id` to join a presence channel as this member.
    ///
    /// First decide whether the user may subscribe: the signer permits it to anyone.
    ///
    /// # Errors
    /// Returns [`UnexpectedChannelData`](ErrorKind::UnexpectedChannelData) or
    /// [`PublicChannel`](ErrorKind::PublicChannel) if it is not a presence channel.
    pub fn authorize_presence(
        &self,
        socket_id: &SocketId,
        channel: &ChannelName,
        data: &PresenceData,
    ) -> Result<ChannelAuthorization, Error> {
        self.authorize_channel(socket_id, channel, Some(&json(ErrorKind::ChannelData, data)?))
    }
}

/// Encodes a `user_info` and checks its size.
pub(crate) fn user_info(kind: ErrorKind, info: &(impl Serialize + ?Sized)) -> Result<Box<RawValue>, Error> {
    let text = json(kind, info)?;
    if text.len() > limits::USER_DATA {
        return Err(Error::new(kind, format!("user_info has at most {} bytes of JSON", limits::USER_DATA)));
    }
    RawValue::from_string(text).map_err(|error| unwritable(kind, error))
}

pub(crate) fn json(kind: ErrorKind, value: &(impl Serialize + ?Sized)) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| unwritable(kind, error))
}

fn unwritable(kind: ErrorKind, error: serde_json::Error) -> Error {
    Error::new(kind, "the data cannot be written as JSON").with_source(error)
}

impl fmt::Debug for PresenceData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresenceData").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}
