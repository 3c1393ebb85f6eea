use pusher_protocol::{ChannelKind, ChannelName};

use crate::error::Error;

/// Whether channels of this one's kind are served: the one place that decides it, for subscribers and publishers.
pub(crate) fn check(channel: &ChannelName) -> Result<(), Error> {
    match channel.kind() {
        ChannelKind::Public | ChannelKind::Private => Ok(()),
        kind => Err(Error::unserved_channel(kind)),
    }
}
