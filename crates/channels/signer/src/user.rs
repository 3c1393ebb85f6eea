use std::fmt;

use pusher_protocol::SocketId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

/// What a user-auth endpoint answers, as JSON with status 200, to a client that signs in (Pusher's "authenticating users").
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserAuthentication {
    /// `key:signature`.
    pub auth: String,
    /// The JSON text that was signed, to be passed on byte by byte.
    pub user_data: String,
}

impl Signer {
    /// Makes the connection `socket_id` that of a user: `user_data` is a JSON object whose `id` is a text, with
    /// `user_info` and `watchlist` if wanted, signed and returned exactly as given.
    ///
    /// # Errors
    /// [`UserData`](ErrorKind::UserData) when it is not.
    pub fn authenticate_user(
        &self,
        socket_id: &SocketId,
        user_data: &str,
    ) -> Result<UserAuthentication, Error> {
        check(user_data)?;
        let auth = self.token(&[socket_id.as_str().as_bytes(), b"::user::", user_data.as_bytes()]);
        Ok(UserAuthentication { auth, user_data: user_data.to_owned() })
    }

    /// Whether `auth` is this signer's for just this connection and user: the server's side.
    ///
    /// # Errors
    /// [`UserData`](ErrorKind::UserData), [`UnknownKey`](ErrorKind::UnknownKey) or [`Signature`](ErrorKind::Signature).
    pub fn verify_user(&self, auth: &str, socket_id: &SocketId, user_data: &str) -> Result<(), Error> {
        check(user_data)?;
        self.verify_token(auth, &[socket_id.as_str().as_bytes(), b"::user::", user_data.as_bytes()])
    }
}

fn check(user_data: &str) -> Result<(), Error> {
    let object = serde_json::from_str::<Map<String, Value>>(user_data).unwrap_or_default();
    match object.get("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(()),
        _ => Err(Error::new(
            ErrorKind::UserData,
            "user_data must be a JSON object whose id is a text and not empty",
        )),
    }
}

impl fmt::Debug for UserAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserAuthentication").finish_non_exhaustive()
    }
}
