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

/// A client event, its name and channel checked.
#[derive(Debug)]
pub(crate) struct ClientEvent {
    pub(crate) channel: ChannelName,
    pub(crate) event: String,
    pub(crate) data: String,
}
