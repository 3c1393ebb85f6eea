use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pusher_protocol::{ChannelName, ProtocolEvent, SocketId};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Registry, Revoked, Socket, lock};
use crate::close::Close;

type Sockets = BTreeMap<SocketId, Arc<Socket>>;

impl Registry {
    /// Signs a connection in as the user whose own channel is `own`. Returns when the authorization
    /// expires, if ever.
    ///
    /// # Errors
    /// Returns [`Revoked`] if the authorization was revoked.
    pub(crate) fn sign_in(
        &self,
        socket: &Arc<Socket>,
        own: &ChannelName,
        user_id: Arc<str>,
        watchlist: BTreeSet<Arc<str>>,
        success: Utf8Bytes,
    ) -> Result<Option<Instant>, Revoked> {
        let mut users = lock(&self.users);
        let expires = socket.authorization_expiry(own)?;
        users.sign_in(socket, user_id, watchlist, success);
        Ok(expires)
    }

    /// Closes the connections of a signed-in user, and returns their number. Earlier sign-in
    /// signatures for this user become invalid.
    pub(crate) fn close_user(&self, user_id: &str, close: Close) -> usize {
        // Whoever signs in meanwhile finds the signature revoked, or is closed afterwards.
        if let Ok(own) = ChannelName::of_user(user_id) {
            self.shards.of(&own).revoke(&own);
        }
        lock(&self.users).close(user_id, close)
    }
}

/// The signed-in users and their watchlists.
#[derive(Debug, Default)]
pub(crate) struct Users {
    signed_in: BTreeMap<SocketId, SignedIn>,
    sockets: BTreeMap<Arc<str>, Sockets>,
    watchers: BTreeMap<Arc<str>, Sockets>,
}

#[derive(Debug)]
struct SignedIn {
    user_id: Arc<str>,
    watchlist: BTreeSet<Arc<str>>,
}

impl Users {
    /// Makes an anonymous connection a user's. Sends it `success` and then the state of its
    /// watchlist.
    pub(crate) fn sign_in(
        &mut self,
        socket: &Arc<Socket>,
        user_id: Arc<str>,
        watchlist: BTreeSet<Arc<str>>,
        success: Utf8Bytes,
    ) {
        socket.queue.push(success);
        let sockets = self.sockets.entry(user_id.clone()).or_default();
        let is_first = sockets.is_empty();
        sockets.insert(socket.id.clone(), socket.clone());
        if is_first {
            self.notify_watchers(&user_id, true);
        }
        let (online, offline): (Vec<&str>, Vec<&str>) =
            watchlist.iter().map(AsRef::as_ref).partition(|user| self.sockets.contains_key(*user));
        if !watchlist.is_empty() {
            let state = ProtocolEvent::WatchlistEvents { online: &online, offline: &offline };
            socket.queue.push(state.encode().into());
        }
        for user in &watchlist {
            self.watchers.entry(user.clone()).or_default().insert(socket.id.clone(), socket.clone());
        }
        self.signed_in.insert(socket.id.clone(), SignedIn { user_id, watchlist });
    }

    /// Removes a connection that ended.
    pub(crate) fn sign_out(&mut self, id: &SocketId) {
        let Some(SignedIn { user_id, watchlist }) = self.signed_in.remove(id) else { return };
        for user in &watchlist {
            remove(&mut self.watchers, user, id);
        }
        if remove(&mut self.sockets, &user_id, id) {
            self.notify_watchers(&user_id, false);
        }
    }

    /// Closes a user's connections, and returns their number.
    pub(crate) fn close(&self, user_id: &str, close: Close) -> usize {
        let sockets = self.sockets.get(user_id).into_iter().flatten();
        sockets.map(|(_, socket)| socket.queue.close(close)).count()
    }

    fn notify_watchers(&self, user_id: &Arc<str>, is_online: bool) {
        let Some(watchers) = self.watchers.get(user_id) else { return };
        let user: &[&str] = &[user_id];
        let (online, offline) = if is_online { (user, &[][..]) } else { (&[][..], user) };
        let frame = Utf8Bytes::from(ProtocolEvent::WatchlistEvents { online, offline }.encode());
        watchers.values().for_each(|watcher| watcher.queue.push(frame.clone()));
    }
}

/// Removes a connection of a user, and returns whether it was the last one.
fn remove(sockets: &mut BTreeMap<Arc<str>, Sockets>, user_id: &Arc<str>, id: &SocketId) -> bool {
    let Some(of_user) = sockets.get_mut(user_id) else { return false };
    of_user.remove(id);
    let none_left = of_user.is_empty();
    if none_left {
        sockets.remove(user_id);
    }
    none_left
}
