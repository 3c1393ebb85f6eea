use std::collections::BTreeMap;
use std::sync::Arc;

use pusher_protocol::SocketId;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Members, Socket};

/// A channel that somebody is subscribed to.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    pub(crate) subscribers: BTreeMap<SocketId, Arc<Socket>>,
    /// Of a presence channel.
    pub(crate) members: Option<Box<Members>>,
    /// Whether a `cache_miss` was told to the webhooks since the last event.
    pub(crate) is_miss_told: bool,
}

impl Channel {
    /// Puts one frame into the queue of every subscriber but `except`, and tells how many that were.
    pub(crate) fn publish(&self, frame: &Utf8Bytes, except: Option<&SocketId>) -> usize {
        let others = self.subscribers.iter().filter(|(id, _)| Some(*id) != except);
        others.map(|(_, socket)| socket.mailbox.put(frame.clone())).count()
    }

    pub(crate) fn user_count(&self) -> usize {
        self.members.as_ref().map_or(0, |members| members.count())
    }
}
