use std::fmt;

use pusher_protocol::{ChannelName, SocketId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

/// The answer of an auth endpoint that permits a subscription: serialize it as JSON and send it
/// with status 200 (Pusher's "authorizing users").
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChannelAuthorization {
    /// `key:signature`.
    pub auth: String,
    /// For presence channels: the JSON text that was signed. Pass it on unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_data: Option<String>,
    /// For encrypted channels: the channel's key, base64 of 32 bytes. Never send it to the Channels
    /// server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_secret: Option<String>,
}

impl ChannelAuthorization {
    /// Creates an authorization that was signed elsewhere; `auth` is `key:signature`. To sign one,
    /// use [`Signer::authorize_channel`].
    pub fn new(auth: impl Into<String>) -> Self {
        Self { auth: auth.into(), channel_data: None, shared_secret: None }
    }

    /// Adds the `channel_data` of a presence channel.
    #[must_use]
    pub fn with_channel_data(self, channel_data: impl Into<String>) -> Self {
        Self { channel_data: Some(channel_data.into()), ..self }
    }

    /// Adds the shared secret of an encrypted channel.
    #[must_use]
    pub fn with_shared_secret(self, shared_secret: impl Into<String>) -> Self {
        Self { shared_secret: Some(shared_secret.into()), ..self }
    }
}

impl Signer {
    /// Permits the connection `socket_id` to subscribe to `channel`.
    ///
    /// First decide whether the user may subscribe: the signer permits it to anyone. `channel_data`
    /// is for presence channels only: a JSON object with a `user_id`, signed and returned
    /// unchanged.
    ///
    /// # Errors
    /// - Returns [`PublicChannel`](ErrorKind::PublicChannel) if the channel needs no authorization.
    /// - Returns [`ChannelDataRequired`](ErrorKind::ChannelDataRequired) or
    ///   [`ChannelData`](ErrorKind::ChannelData) if a presence channel has no data, or data without
    ///   a user.
    /// - Returns [`UnexpectedChannelData`](ErrorKind::UnexpectedChannelData) if there is data for
    ///   another kind of channel: servers do not verify it there.
    /// - Returns [`EncryptionKeyRequired`](ErrorKind::EncryptionKeyRequired) if an encrypted
    ///   channel is authorized without a master key.
    pub fn authorize_channel(
        &self,
        socket_id: &SocketId,
        channel: &ChannelName,
        channel_data: Option<&str>,
    ) -> Result<ChannelAuthorization, Error> {
        let signed_data = signed_data(channel, channel_data)?;
        if signed_data.is_none() && channel_data.is_some() {
            return Err(Error::new(
                ErrorKind::UnexpectedChannelData,
                "only presence channels have channel_data",
            ));
        }
        let mut authorization =
            ChannelAuthorization::new(self.channel_token(socket_id, channel, signed_data));
        authorization.channel_data = signed_data.map(str::to_owned);
        if channel.kind().is_encrypted() {
            authorization.shared_secret = Some(self.required_master_key()?.shared_secret(channel));
        }
        Ok(authorization)
    }

    /// Verifies that `auth` permits this subscription. For servers.
    ///
    /// `channel_data` is ignored except for presence channels, whose signature covers it.
    ///
    /// # Errors
    /// As [`authorize_channel`](Self::authorize_channel) for the channel and its data; also returns
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

/// Returns the `channel_data` that the signature covers, checked: that of presence channels only.
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
    let invalid = || {
        let text = "channel_data must be a JSON object whose user_id is a string or a number";
        Error::new(ErrorKind::ChannelData, text)
    };
    let object: Map<String, Value> =
        serde_json::from_str(data).map_err(|error| invalid().with_json_source(error))?;
    match object.get("user_id") {
        Some(Value::Number(_)) => Ok(Some(data)),
        Some(Value::String(id)) if !id.is_empty() => Ok(Some(data)),
        _ => Err(invalid()),
    }
}

impl fmt::Debug for ChannelAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelAuthorization").finish_non_exhaustive()
    }
}
