use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pusher_protocol::{ChannelName, CloseCode, SocketId};
use tokio::time::Instant;

use super::authorizations::{Authorizations, Revoked};
use super::{Registry, State};
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
    /// Returns when the connection's authorization for a channel expires, if ever.
    ///
    /// # Errors
    /// Returns [`Revoked`] if the authorization was revoked.
    pub(crate) fn authorization_expiry(&self, channel: &ChannelName) -> Result<Option<Instant>, Revoked> {
        self.authorizations().expiry(channel)
    }

    fn authorizations(&self) -> MutexGuard<'_, Authorizations> {
        self.authorizations.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut state = self.lock();
        if let Some(close) = state.closed {
            return Err(close);
        }
        if state.sockets.len() >= self.connection_quota {
            return Err(OVER_QUOTA);
        }
        let id = loop {
            let random = (self.random)();
            let id = SocketId::from_parts((random >> 32) as u32, random as u32);
            if !state.sockets.contains_key(&id) {
                break id;
            }
        };
        let socket = Arc::new(Socket { id: id.clone(), queue, authorizations: Mutex::default() });
        state.sockets.insert(id, socket.clone());
        Ok(socket)
    }

    /// Removes a connection, its user and its subscriptions.
    pub(crate) fn disconnect<'c>(&self, id: &SocketId, channels: impl IntoIterator<Item = &'c ChannelName>) {
        let mut state = self.lock();
        state.sockets.remove(id);
        state.users.sign_out(id);
        for channel in channels {
            self.leave(&mut state, id, channel);
        }
    }

    /// Records that a connection is given a signature for a channel, and when that expires, if
    /// ever.
    pub(crate) fn record_authorization(
        &self,
        id: &SocketId,
        channel: &ChannelName,
        expires: Option<Instant>,
    ) {
        if let Some(socket) = self.lock().sockets.get(id) {
            socket.authorizations().record(channel, expires);
        }
    }

    /// Closes the connections that are subscribed to a channel, and returns their number. Earlier
    /// signatures for this channel become invalid.
    pub(crate) fn close_subscribers(&self, channel: &ChannelName, close: Close) -> usize {
        let state = self.lock();
        state.revoke(channel);
        let subscribers = state.channels.get(channel).map(|channel| channel.subscribers.values());
        subscribers.into_iter().flatten().map(|socket| socket.queue.close(close)).count()
    }
}

impl State {
    /// Revokes the authorizations of all connections for a channel.
    pub(super) fn revoke(&self, channel: &ChannelName) {
        self.sockets.values().for_each(|socket| socket.authorizations().revoke(channel));
    }
}
