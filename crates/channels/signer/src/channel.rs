use std::fmt;

use pusher_protocol::{ChannelName, SocketId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

/// What an auth endpoint answers, as JSON with status 200, to a client that may subscribe (Pusher's "authorizing users").
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelAuthorization {
    /// `key:signature`.
    pub auth: String,
    /// For presence channels: the JSON text that was signed, to be passed on byte by byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_data: Option<String>,
    /// For encrypted channels: the channel's key, base64 of 32 bytes. Not for the server's eyes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_secret: Option<String>,
}

impl Signer {
    /// Allows the connection `socket_id` to subscribe to `channel`.
    ///
    /// Whether the user may is the caller's decision, and must be made before. `channel_data` is for presence channels
    /// only: a JSON object with a `user_id`, signed and returned exactly as given.
    ///
    /// # Errors
    /// - [`PublicChannel`](ErrorKind::PublicChannel): the channel needs no authorization.
    /// - [`ChannelDataRequired`](ErrorKind::ChannelDataRequired), [`ChannelData`](ErrorKind::ChannelData): a presence
    ///   channel without data, or with data that names no user.
    /// - [`UnexpectedChannelData`](ErrorKind::UnexpectedChannelData): data for another kind of channel, where a server would
    ///   leave it out of the text to verify.
    /// - [`EncryptionKeyRequired`](ErrorKind::EncryptionKeyRequired): an encrypted channel, and no master key was given.
    pub fn authorize_channel(
        &self,
        socket_id: &SocketId,
        channel: &ChannelName,
        channel_data: Option<&str>,
    ) -> Result<ChannelAuthorization, Error> {
        let kind = channel.kind();
        let signed_data = signed_data(channel, channel_data)?;
        if signed_data.is_none() && channel_data.is_some() {
            return Err(Error::new(
                ErrorKind::UnexpectedChannelData,
                "channel_data belongs to presence channels only",
            ));
        }
        let shared_secret =
            if kind.is_encrypted() { Some(self.required_master_key()?.shared_secret(channel)) } else { None };
        Ok(ChannelAuthorization {
            auth: self.channel_token(socket_id, channel, signed_data),
            channel_data: signed_data.map(str::to_owned),
            shared_secret,
        })
    }

    /// Whether `auth` is this signer's for just this subscription: the server's side.
    ///
    /// For channels other than presence `channel_data` is not part of the signed text and is ignored.
    ///
    /// # Errors
    /// As [`authorize_channel`](Self::authorize_channel) for the channel and its data; else
    /// [`UnknownKey`](ErrorKind::UnknownKey) or [`Signature`](ErrorKind::Signature).
    pub fn verify_channel(
        &self,
        auth: &str,
        socket_id: &SocketId,
        channel: &ChannelName,
        channel_data: Option<&str>,
    ) -> Result<(), Error> {
        let (socket_id, name) = (socket_id.as_str().as_bytes(), channel.as_str().as_bytes());
        match signed_data(channel, channel_data)? {
            None => self.verify_token(auth, &[socket_id, b":", name]),
            Some(data) => self.verify_token(auth, &[socket_id, b":", name, b":", data.as_bytes()]),
        }
    }

    fn channel_token(&self, socket_id: &SocketId, channel: &ChannelName, data: Option<&str>) -> String {
        let (socket_id, name) = (socket_id.as_str().as_bytes(), channel.as_str().as_bytes());
        match data {
            None => self.token(&[socket_id, b":", name]),
            Some(data) => self.token(&[socket_id, b":", name, b":", data.as_bytes()]),
        }
    }
}

/// The data that the channel's signature covers: a presence channel's, checked; no other's.
fn signed_data<'d>(channel: &ChannelName, data: Option<&'d str>) -> Result<Option<&'d str>, Error> {
    let kind = channel.kind();
    if !kind.needs_authorization() {
        return Err(Error::new(ErrorKind::PublicChannel, "the channel needs no authorization"));
    }
    if !kind.is_presence() {
        return Ok(None);
    }
    let data = data.ok_or_else(|| {
        Error::new(ErrorKind::ChannelDataRequired, "a presence channel needs channel_data with a user_id")
    })?;
    let user_id =
        serde_json::from_str::<Map<String, Value>>(data).ok().and_then(|mut object| object.remove("user_id"));
    match user_id {
        Some(Value::Number(_)) => Ok(Some(data)),
        Some(Value::String(id)) if !id.is_empty() => Ok(Some(data)),
        _ => Err(Error::new(
            ErrorKind::ChannelData,
            "channel_data must be a JSON object whose user_id is a text or a number",
        )),
    }
}

impl fmt::Debug for ChannelAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelAuthorization").finish_non_exhaustive()
    }
}
