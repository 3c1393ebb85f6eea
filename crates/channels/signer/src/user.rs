use std::fmt;

use pusher_protocol::SocketId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::signer::Signer;

/// The answer of a user-auth endpoint that signs in a user: serialize it as JSON and send it with
/// status 200 (Pusher's "authenticating users").
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserAuthentication {
    /// `key:signature`.
    pub auth: String,
    /// The JSON text that was signed. Pass it on unchanged.
    pub user_data: String,
}

impl UserAuthentication {
    /// Creates an authentication that was signed elsewhere; `auth` is `key:signature`. To sign one,
    /// use [`Signer::authenticate_user`].
    pub fn new(auth: impl Into<String>, user_data: impl Into<String>) -> Self {
        Self { auth: auth.into(), user_data: user_data.into() }
    }
}

impl Signer {
    /// Signs in a user on the connection `socket_id`. `user_data` is a JSON object with a string
    /// `id` and optionally `user_info` and `watchlist`; it is signed and returned unchanged.
    ///
    /// # Errors
    /// Returns [`UserData`](ErrorKind::UserData) if `user_data` is anything else.
    pub fn authenticate_user(
        &self,
        socket_id: &SocketId,
        user_data: &str,
    ) -> Result<UserAuthentication, Error> {
        check(user_data)?;
        let auth = self.token(&[socket_id.as_str().as_bytes(), b"::user::", user_data.as_bytes()]);
        Ok(UserAuthentication::new(auth, user_data))
    }

    /// Verifies that `auth` signs in this user on this connection. For servers.
    ///
    /// # Errors
    /// Returns [`UserData`](ErrorKind::UserData), [`UnknownKey`](ErrorKind::UnknownKey) or
    /// [`Signature`](ErrorKind::Signature).
    pub fn verify_user(&self, auth: &str, socket_id: &SocketId, user_data: &str) -> Result<(), Error> {
        check(user_data)?;
        self.verify_token(auth, &[socket_id.as_str().as_bytes(), b"::user::", user_data.as_bytes()])
    }
}

fn check(user_data: &str) -> Result<(), Error> {
    let invalid = || {
        let text = "user_data must be a JSON object whose id is a string that is not empty";
        Error::new(ErrorKind::UserData, text)
    };
    let object: Map<String, Value> =
        serde_json::from_str(user_data).map_err(|error| invalid().with_json_source(error))?;
    match object.get("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(()),
        _ => Err(invalid()),
    }
}

impl fmt::Debug for UserAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserAuthentication").finish_non_exhaustive()
    }
}
