use std::fmt;
use std::sync::Arc;

use pusher_protocol::ChannelName;

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
    /// The connection was lost, or closed. The channel is subscribed again with the next one.
    Interrupted,
    /// The subscription was refused, or the connection was for good. Nothing follows.
    Refused(Error),
    /// So many events were dropped here because this subscriber did not keep up.
    Lagged(u64),
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

    /// The channel.
    pub fn channel(&self) -> &ChannelName {
        &self.channel
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        &self.body.name
    }

    /// The data as text, as it was published; usually JSON.
    pub fn data(&self) -> &str {
        &self.body.data
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
