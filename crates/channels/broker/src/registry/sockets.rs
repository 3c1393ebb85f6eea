use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use pusher_protocol::{ChannelName, CloseCode, SocketId};
use tokio::time::Instant;

use super::authorizations::{Authorizations, Revoked};
use super::{Registry, lock};
use crate::close::Close;
use crate::send_queue::SendQueue;

/// One established connection, as the rest of the broker sees it.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) id: SocketId,
    pub(crate) queue: SendQueue,
    authorizations: Mutex<Authorizations>,
}

impl Socket {
    pub(super) fn new(id: SocketId, queue: SendQueue) -> Self {
        Self { id, queue, authorizations: Mutex::default() }
    }

    /// Returns when the connection's authorization for a channel expires, if ever.
    ///
    /// # Errors
    /// Returns [`Revoked`] if the authorization was revoked.
    pub(crate) fn authorization_expiry(&self, channel: &ChannelName) -> Result<Option<Instant>, Revoked> {
        self.authorizations().expiry(channel)
    }

    pub(super) fn authorizations(&self) -> MutexGuard<'_, Authorizations> {
        lock(&self.authorizations)
    }
}

/// The established connections.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    by_id: BTreeMap<SocketId, Arc<Socket>>,
    closed: Option<Close>,
}

impl Sockets {
    pub(super) fn close(&mut self, close: Close) {
        self.closed = Some(close);
        self.by_id.values().for_each(|socket| socket.queue.close(close));
    }

    pub(super) fn closed(&self) -> Option<Close> {
        self.closed
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

const OVER_QUOTA: Close = Close::new(CloseCode::CONNECTION_QUOTA, "Application is over connection quota");

impl Registry {
    /// Adds a connection with a new, unique id.
    ///
    /// # Errors
    /// Returns the reason to close the connection, if the registry is closed or the quota is used
    /// up.
    pub(crate) fn connect(&self, queue: SendQueue) -> Result<Arc<Socket>, Close> {
        let mut sockets = lock(&self.sockets);
        if let Some(close) = sockets.closed {
            return Err(close);
        }
        if sockets.len() >= self.connection_quota {
            return Err(OVER_QUOTA);
        }
        let id = loop {
            let random = (self.random)();
            let id = SocketId::from_parts((random >> 32) as u32, random as u32);
            if !sockets.by_id.contains_key(&id) {
                break id;
            }
        };
        let socket = Arc::new(Socket::new(id.clone(), queue));
        sockets.by_id.insert(id, socket.clone());
        Ok(socket)
    }

    /// Removes a connection, its user and its subscriptions.
    pub(crate) fn disconnect<'c>(
        &self,
        socket: &Socket,
        channels: impl IntoIterator<Item = &'c ChannelName>,
    ) {
        lock(&self.sockets).by_id.remove(&socket.id);
        lock(&self.users).sign_out(&socket.id);
        for channel in channels {
            self.unsubscribe(&socket.id, channel);
        }
        let authorized: Vec<ChannelName> = socket.authorizations().channels().cloned().collect();
        authorized.iter().for_each(|channel| self.forget_authorization(&socket.id, channel));
    }

    /// Records that a connection is given a signature for a channel, and when that expires, if
    /// ever.
    pub(crate) fn record_authorization(
        &self,
        id: &SocketId,
        channel: &ChannelName,
        expires: Option<Instant>,
    ) {
        let find = || lock(&self.sockets).by_id.get(id).cloned();
        let Some(socket) = find() else { return };
        let mut shard = self.shards.of(channel);
        socket.authorizations().record(channel, expires);
        shard.authorized.entry(channel.clone()).or_default().insert(&socket);
        drop(shard);
        // If the connection has ended meanwhile, `disconnect` had nothing to forget yet.
        if find().is_none() {
            self.forget_authorization(id, channel);
        }
    }

    fn forget_authorization(&self, id: &SocketId, channel: &ChannelName) {
        let mut shard = self.shards.of(channel);
        let Some(sockets) = shard.authorized.get_mut(channel) else { return };
        sockets.remove(id);
        if sockets.is_empty() {
            shard.authorized.remove(channel);
        }
    }

    /// Closes the connections that are subscribed to a channel, and returns their number. Earlier
    /// signatures for this channel become invalid.
    pub(crate) fn close_subscribers(&self, channel: &ChannelName, close: Close) -> usize {
        let shard = self.shards.of(channel);
        shard.revoke(channel);
        shard.close_subscribers(channel, close)
    }
}
