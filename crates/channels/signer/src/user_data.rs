use std::collections::BTreeSet;
use std::fmt;

use pusher_protocol::{ChannelName, SocketId, limits};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};
use crate::presence_data::{json, user_info};
use crate::signer::Signer;
use crate::user::UserAuthentication;

/// Who signs in on a connection (Pusher's "authenticating users"). `Debug` shows the id alone.
#[derive(Clone, Serialize)]
pub struct UserData {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_info: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    watchlist: BTreeSet<String>,
}

impl UserData {
    /// Names the user; without further information, and without a watchlist.
    ///
    /// # Errors
    /// Returns [`UserData`](ErrorKind::UserData) if the id cannot be part of the user's own
    /// channel, `#server-to-user-` and the id, or has more than 128 characters.
    pub fn new(id: impl Into<String>) -> Result<Self, Error> {
        let id = id.into();
        check_id(&id)?;
        Ok(Self { id, user_info: None, watchlist: BTreeSet::new() })
    }

    /// Adds what members of presence channels are shown of the user, if the user joins with the
    /// sign-in.
    ///
    /// # Errors
    /// Returns [`UserData`](ErrorKind::UserData) if it takes more than 1,024 bytes of JSON, or
    /// cannot be written as JSON.
    pub fn with_info(self, info: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        Ok(Self { user_info: Some(user_info(ErrorKind::UserData, info)?), ..self })
    }

    /// Sets the watchlist: the client is told when one of these users comes online or goes offline.
    /// An id that occurs twice counts once, and the user's own is left out.
    ///
    /// # Errors
    /// Returns [`UserData`](ErrorKind::UserData) if there are more than 100, or one is not the id
    /// of a user, as in [`new`](Self::new).
    pub fn with_watchlist(self, users: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, Error> {
        let mut watchlist = BTreeSet::new();
        for user in users.into_iter().map(Into::into).filter(|user| *user != self.id) {
            check_id(&user)?;
            watchlist.insert(user);
            if watchlist.len() > limits::WATCHLIST {
                let text = format!("a watchlist has at most {} users", limits::WATCHLIST);
                return Err(Error::new(ErrorKind::UserData, text));
            }
        }
        Ok(Self { watchlist, ..self })
    }
}

impl Signer {
    /// Signs in this user on the connection `socket_id`.
    ///
    /// # Errors
    /// Returns [`UserData`](ErrorKind::UserData) if the data cannot be written as JSON.
    pub fn sign_in(&self, socket_id: &SocketId, user: &UserData) -> Result<UserAuthentication, Error> {
        self.authenticate_user(socket_id, &json(ErrorKind::UserData, user)?)
    }
}

fn check_id(id: &str) -> Result<(), Error> {
    if id.len() <= limits::USER_ID && ChannelName::of_user(id).is_ok() {
        return Ok(());
    }
    let text =
        format!("the id of a user has 1 to {} characters: letters, digits and _-=@,.;", limits::USER_ID);
    Err(Error::new(ErrorKind::UserData, text))
}

impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserData").field("id", &self.id).finish_non_exhaustive()
    }
}
