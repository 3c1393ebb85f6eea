use pusher_protocol::ChannelName;
use tokio::sync::oneshot;

use super::queue;

/// What handles ask of the actor.
#[derive(Debug)]
pub(crate) enum Command {
    Connect(oneshot::Sender<()>),
    Disconnect(oneshot::Sender<()>),
    Subscribe(ChannelName, queue::Sender),
}
