use pusher_protocol::SocketId;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::members::Members;
use super::socket_set::SocketSet;

/// A channel with at least one subscriber.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    pub(super) subscribers: SocketSet,
    /// The users, if it is a presence channel.
    pub(crate) members: Option<Box<Members>>,
    /// Whether webhooks already got a `cache_miss` since the last event.
    pub(crate) is_miss_reported: bool,
}

impl Channel {
    /// Queues a frame for every subscriber except `except`, and returns their number.
    pub(crate) fn publish(&self, frame: &Utf8Bytes, except: Option<&SocketId>) -> usize {
        let others = self.subscribers.iter().filter(|socket| Some(&socket.id) != except);
        others.map(|socket| socket.queue.push(frame.clone())).count()
    }

    /// Returns the number of users; 0 unless it is a presence channel.
    pub(crate) fn user_count(&self) -> usize {
        self.members.as_ref().map_or(0, |members| members.count())
    }
}
