use std::borrow::Cow;

use pusher_protocol::ChannelName;
use pusher_signer::Signer;

use crate::Error;

/// Prepares the data of events for sending.
pub(super) struct DataEncoder<'a> {
    pub(super) signer: &'a Signer,
    pub(super) max_bytes: usize,
}

impl DataEncoder<'_> {
    /// Returns the data to send on `channel`: encrypted for an encrypted channel, and within the
    /// limit.
    pub(super) fn encode<'d>(&self, channel: &ChannelName, data: &'d str) -> Result<Cow<'d, str>, Error> {
        let data = match channel.kind().is_encrypted() {
            true => Cow::Owned(self.encrypt(channel, data)?),
            false => Cow::Borrowed(data),
        };
        if data.len() > self.max_bytes {
            return Err(Error::limit(format!("the data of an event has at most {} bytes", self.max_bytes)));
        }
        Ok(data)
    }

    fn encrypt(&self, channel: &ChannelName, data: &str) -> Result<String, Error> {
        let secret = self.signer.shared_secret(channel).map_err(|error| {
            Error::configuration(format!("the data for {channel} cannot be encrypted")).with_cause(error)
        })?;
        Ok(secret.seal(rand::random(), data))
    }
}
