use std::fmt;
use std::sync::Arc;

use pusher_protocol::ChannelName;
use serde::de::DeserializeOwned;

use super::Member;
use super::queue::Item;
use crate::Error;

/// What a [`Subscription`](crate::Subscription) yields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelEvent {
    /// The subscription stands from here on: at first, and after each interruption. What was published before, this
    /// subscriber may have missed; Channels does not replay.
    Subscribed,
    /// An event was published.
    Event(Event),
    /// A user came to the presence channel; those that were there before are in
    /// [`members`](crate::Subscription::members).
    MemberAdded(Member),
    /// A user has left the presence channel with the last of their connections.
    MemberRemoved(Member),
    /// How many connections subscribe to the channel has changed.
    SubscriptionCount(u64),
    /// The server keeps no event of this cache channel. Comes after `Subscribed`, where the kept event would.
    CacheMiss,
    /// An event of an encrypted channel could not be read, also with a fresh authorization's key. It is lost.
    DecryptionFailed {
        /// The event's name.
        event: String,
        /// Why.
        reason: Error,
    },
    /// The connection was lost, or closed. The channel is subscribed again with the next one.
    Interrupted,
    /// The subscription was refused, or the connection was for good. Nothing follows.
    Refused(Error),
    /// So many events were dropped here because this subscriber did not keep up.
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

/// An event as it was published. Cheap to clone. `Debug` does not show its data.
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

    /// The same event with other data.
    pub(crate) fn with_data(&self, data: String) -> Self {
        let Body { name, user_id, .. } = &*self.body;
        Self::new(self.channel.clone(), name.clone(), data, user_id.clone())
    }

    /// The channel.
    pub fn channel(&self) -> &ChannelName {
        &self.channel
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        &self.body.name
    }

    /// The data as text, as it was published; usually JSON. Of an encrypted channel, what was encrypted.
    pub fn data(&self) -> &str {
        &self.body.data
    }

    /// The data as a value.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) when it is no JSON of that shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Error::reading(&self.body.data)
    }

    /// Who sent it, for client events of presence channels; set by the server, so it can be trusted.
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
