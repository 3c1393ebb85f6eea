use std::fmt;

use pusher_protocol::ChannelName;
use tokio::sync::oneshot;

use super::binding::{BoundEvent, Wanted};
use super::queue::Sender;
use super::subscription::Subscriber;
use super::user::UserEvent;
use crate::Error;

/// What handles ask of the actor.
#[derive(Debug)]
pub(crate) enum Command {
    Connect(oneshot::Sender<()>),
    Disconnect(oneshot::Sender<()>),
    PingNow(oneshot::Sender<()>),
    Subscribe(ChannelName, Subscriber),
    Unsubscribe(ChannelName, oneshot::Sender<()>),
    Bind(Wanted, Sender<BoundEvent>),
    SignIn(Sender<UserEvent>),
    Trigger(ClientEvent, oneshot::Sender<Result<(), Error>>),
}

/// A client event, its name and channel checked. `Debug` does not show the data.
pub(crate) struct ClientEvent {
    pub(crate) channel: ChannelName,
    pub(crate) event: String,
    pub(crate) data: String,
}

impl fmt::Debug for ClientEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientEvent")
            .field("channel", &self.channel)
            .field("event", &self.event)
            .field("data_bytes", &self.data.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_data() {
        let channel = "private-ada".parse().unwrap();
        let event = ClientEvent::new(&channel, "client-e", "hidden".to_owned()).unwrap();
        let shown = r#"ClientEvent { channel: "private-ada", event: "client-e", data_bytes: 6 }"#;
        assert_eq!(format!("{event:?}"), shown);
    }
}
