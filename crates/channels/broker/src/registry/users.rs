use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pusher_protocol::{ProtocolEvent, SocketId};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::Socket;
use crate::mailbox::Ending;

type Sockets = BTreeMap<SocketId, Arc<Socket>>;

/// Who is signed in, and who watches whom.
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
    /// Makes a connection that is nobody's a user's, tells it `success`, and then who of the watchlist is there.
    pub(crate) fn sign_in(
        &mut self,
        socket: &Arc<Socket>,
        user_id: Arc<str>,
        watchlist: BTreeSet<Arc<str>>,
        success: Utf8Bytes,
    ) {
        socket.mailbox.put(success);
        let sockets = self.sockets.entry(user_id.clone()).or_default();
        let is_first = sockets.is_empty();
        sockets.insert(socket.id.clone(), socket.clone());
        if is_first {
            self.tell_watchers(&user_id, true);
        }
        let (online, offline): (Vec<&str>, Vec<&str>) =
            watchlist.iter().map(AsRef::as_ref).partition(|user| self.sockets.contains_key(*user));
        if !watchlist.is_empty() {
            let state = ProtocolEvent::WatchlistEvents { online: &online, offline: &offline };
            socket.mailbox.put(state.encode().into());
        }
        for user in &watchlist {
            self.watchers.entry(user.clone()).or_default().insert(socket.id.clone(), socket.clone());
        }
        self.signed_in.insert(socket.id.clone(), SignedIn { user_id, watchlist });
    }

    /// Forgets a connection that ended.
    pub(crate) fn sign_out(&mut self, id: &SocketId) {
        let Some(SignedIn { user_id, watchlist }) = self.signed_in.remove(id) else { return };
        for user in &watchlist {
            remove(&mut self.watchers, user, id);
        }
        if remove(&mut self.sockets, &user_id, id) {
            self.tell_watchers(&user_id, false);
        }
    }

    /// Ends the user's connections, and tells how many that were.
    pub(crate) fn end(&self, user_id: &str, ending: Ending) -> usize {
        let sockets = self.sockets.get(user_id).into_iter().flatten();
        sockets.map(|(_, socket)| socket.mailbox.end(ending)).count()
    }

    fn tell_watchers(&self, user_id: &Arc<str>, is_online: bool) {
        let Some(watchers) = self.watchers.get(user_id) else { return };
        let user: &[&str] = &[user_id];
        let (online, offline) = if is_online { (user, &[][..]) } else { (&[][..], user) };
        let frame = Utf8Bytes::from(ProtocolEvent::WatchlistEvents { online, offline }.encode());
        watchers.values().for_each(|watcher| watcher.mailbox.put(frame.clone()));
    }
}

/// Removes a connection, and tells whether none is left.
fn remove(sockets: &mut BTreeMap<Arc<str>, Sockets>, user_id: &Arc<str>, id: &SocketId) -> bool {
    let Some(of_user) = sockets.get_mut(user_id) else { return false };
    of_user.remove(id);
    let none_left = of_user.is_empty();
    if none_left {
        sockets.remove(user_id);
    }
    none_left
}
