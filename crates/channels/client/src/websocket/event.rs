use std::fmt;
use std::sync::Arc;

use pusher_protocol::ChannelName;
use serde::de::DeserializeOwned;

use super::Member;
use super::queue::Item;
use crate::Error;

/// An event of a [`Subscription`](crate::Subscription).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelEvent {
    /// The channel is subscribed: events arrive from here on. Sent at first and after each
    /// interruption. Channels does not replay events that were published before.
    Subscribed,
    /// An event was published.
    Event(Event),
    /// A user joined the presence channel. [`members`](crate::Subscription::members) also returns
    /// those who joined before.
    MemberAdded(Member),
    /// A user left the presence channel with their last connection.
    MemberRemoved(Member),
    /// The number of connections subscribed to the channel changed.
    SubscriptionCount(u64),
    /// The cache channel has no last event. Sent after `Subscribed`, in place of that event.
    CacheMiss,
    /// An event of an encrypted channel could not be decrypted, even with the key of a new
    /// authorization. It is lost.
    DecryptionFailed {
        /// The event's name.
        event: String,
        /// Why it could not be decrypted.
        reason: Error,
    },
    /// The connection was lost or closed. The client subscribes again on the next one.
    Interrupted,
    /// The subscription or the connection was permanently refused. Nothing follows.
    Refused(Error),
    /// This many events were dropped because the subscriber did not read them in time.
    Lagged(u64),
}

impl Item for ChannelEvent {
    fn lagged(count: u64) -> Self {
        Self::Lagged(count)
    }

    fn lag(&mut self) -> Option<&mut u64> {
        match self {
            Self::Lagged(count) => Some(count),
            _ => None,
        }
    }

    fn is_notice(&self) -> bool {
        matches!(self, Self::Subscribed | Self::Interrupted | Self::Refused(_))
    }
}

/// A published event. Cheap to clone. `Debug` does not show the data.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    channel: Arc<ChannelName>,
    body: Arc<Body>,
}

#[derive(PartialEq, Eq)]
struct Body {
    name: String,
    data: String,
    user_id: Option<String>,
}

impl Event {
    pub(crate) fn new(
        channel: Arc<ChannelName>,
        name: String,
        data: String,
        user_id: Option<String>,
    ) -> Self {
        Self { channel, body: Arc::new(Body { name, data, user_id }) }
    }

    /// Returns the same event with other data.
    pub(crate) fn with_data(&self, data: String) -> Self {
        let Body { name, user_id, .. } = &*self.body;
        Self::new(self.channel.clone(), name.clone(), data, user_id.clone())
    }

    /// Returns the channel.
    pub fn channel(&self) -> &ChannelName {
        &self.channel
    }

    /// Returns the event's name.
    pub fn name(&self) -> &str {
        &self.body.name
    }

    /// Returns the data as published, usually JSON; for an encrypted channel, after decryption.
    pub fn data(&self) -> &str {
        &self.body.data
    }

    /// Parses the data as JSON.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Data`](crate::ErrorKind::Data) if the data is not JSON of this type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Error::parse_json(&self.body.data)
    }

    /// Returns the sender of a client event in a presence channel. The server sets it, so it can be
    /// trusted.
    pub fn user_id(&self) -> Option<&str> {
        self.body.user_id.as_deref()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("channel", &self.channel)
            .field("name", &self.body.name)
            .field("data_bytes", &self.body.data.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_data() {
        let channel = Arc::new("private-ada".parse().unwrap());
        let event = Event::new(channel, "news".into(), "hidden".into(), None);
        assert!(!format!("{:?}", ChannelEvent::Event(event)).contains("hidden"));
    }
}
