use std::borrow::Cow;

use pusher_protocol::ChannelName;
use pusher_signer::Signer;

use super::trigger::limit;
use crate::{Error, ErrorKind};

/// What becomes of an event's data before it goes out.
pub(super) struct Sealing<'a> {
    pub(super) signer: &'a Signer,
    pub(super) max_data_bytes: usize,
}

impl Sealing<'_> {
    /// The data as it is sent on `channel`: sealed on an encrypted one, and not too long.
    pub(super) fn data<'d>(&self, channel: &ChannelName, data: &'d str) -> Result<Cow<'d, str>, Error> {
        let data = match channel.kind().is_encrypted() {
            true => Cow::Owned(self.seal(channel, data)?),
            false => Cow::Borrowed(data),
        };
        if data.len() > self.max_data_bytes {
            return Err(limit(format!("the data of an event has at most {} bytes", self.max_data_bytes)));
        }
        Ok(data)
    }

    fn seal(&self, channel: &ChannelName, data: &str) -> Result<String, Error> {
        let secret = self
            .signer
            .shared_secret(channel)
            .map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()))?;
        Ok(secret.seal(rand::random(), data))
    }
}
