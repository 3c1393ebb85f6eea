use pusher_protocol::ChannelName;
use tokio::sync::oneshot;

use super::binding::{BoundEvent, Filter};
use super::client_event::ClientEvent;
use super::queue::Sender;
use super::subscription::Subscriber;
use super::user::UserEvent;
use crate::Error;

/// A command from a handle to the actor.
#[derive(Debug)]
pub(crate) enum Command {
    Connect(oneshot::Sender<()>),
    Disconnect(oneshot::Sender<()>),
    PingNow(oneshot::Sender<()>),
    Subscribe(ChannelName, Subscriber),
    Unsubscribe(ChannelName, oneshot::Sender<()>),
    Bind(Filter, Sender<BoundEvent>),
    SignIn(Sender<UserEvent>),
    Trigger(ClientEvent, oneshot::Sender<Result<(), Error>>),
}
