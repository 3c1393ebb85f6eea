use std::collections::BTreeSet;
use std::sync::Arc;

use pusher_protocol::{ChannelName, CloseCode, Frame, ProtocolEvent, limits};
use pusher_signer::ErrorKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::auth_key::{InvalidKey, check_key};
use super::{Rejection, Session};
use crate::registry::{Member, Revoked};

#[derive(Deserialize)]
struct SignIn {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    user_data: Option<String>,
}

/// The fields of `user_data` that the broker reads.
#[derive(Deserialize)]
struct UserData {
    id: String,
    #[serde(default)]
    user_info: Option<Box<RawValue>>,
    #[serde(default)]
    watchlist: Option<Vec<String>>,
}

impl Session {
    pub(super) fn sign_in(&mut self, frame: &Frame<'_>) -> Result<(), Rejection> {
        let Ok(SignIn { auth, user_data }) = frame.data().object() else {
            return Err(Rejection::new("Invalid signin: data must be an object with `auth` and `user_data`"));
        };
        let required = |name: &str, text: Option<String>| {
            let text = text.filter(|text| !text.is_empty());
            text.ok_or_else(|| Rejection::new(format!("Missing parameter: data.{name}")))
        };
        let auth = required("auth", auth)?;
        let text = required("user_data", user_data)?;
        let (user, own) = self.authenticate(&auth, &text).map_err(Rejection::new)?;
        let UserData { id, user_info, watchlist } = user;
        let revoked = |error: Revoked| Rejection::new(format!("Cannot sign in: {error}"));
        match &self.user {
            Some(user) if *user.user_id != *id => {
                return Err(Rejection::new("Connection already associated with a different user id"));
            }
            // The client has the state of its watchlist already.
            Some(_) => {
                let expires = self.socket.authorization_expiry(&own).map_err(revoked)?;
                self.authorized(expires);
                self.reply(&ProtocolEvent::SignedIn { user_data: &text });
                return Ok(());
            }
            None => {}
        }
        let user_id: Arc<str> = id.into();
        let watchlist = watchlist.unwrap_or_default();
        let limit = self.shared.limits.watchlist;
        let is_too_long = watchlist.len() > limit;
        let watched: BTreeSet<Arc<str>> = watchlist.into_iter().take(limit).map(Arc::from).collect();
        let success = ProtocolEvent::SignedIn { user_data: &text }.encode();
        let expires = self
            .shared
            .registry
            .sign_in(&self.socket, &own, user_id.clone(), watched, success.into())
            .map_err(revoked)?;
        tracing::debug!(socket.id = %self.socket.id, "signed in");
        self.user = Some(Member { user_id, user_info });
        self.has_subscribed = true;
        self.authorized(expires);
        if is_too_long {
            let message =
                format!("The watchlist has more than {limit} user ids: the first {limit} are watched");
            return Err(Rejection { code: Some(CloseCode::WATCHLIST_LIMIT), ..Rejection::new(message) });
        }
        Ok(())
    }

    /// Verifies a sign-in, and returns the user and the user's own channel.
    fn authenticate(&self, auth: &str, text: &str) -> Result<(UserData, ChannelName), String> {
        let signer = &self.shared.signer;
        check_key(signer, auth).map_err(|error| match error {
            InvalidKey::Format => {
                "Auth value for signin is invalid: should be of format 'key:signature'".to_owned()
            }
            InvalidKey::Unknown(key) => format!("Invalid key in signin auth data: '{key}'"),
        })?;
        signer.verify_user(auth, &self.socket.id, text).map_err(|error| match error.kind() {
            ErrorKind::UserData => format!("Invalid user_data for signin: {error}"),
            _ => format!(
                "Invalid signature: expected one by the app secret of {}::user::user_data",
                self.socket.id
            ),
        })?;
        let invalid = |problem: String| format!("Invalid user_data for signin: {problem}");
        let user: UserData = serde_json::from_str(text)
            .map_err(|_| invalid("watchlist must be an array of strings".to_owned()))?;
        // A valid id is one that has a channel.
        let own = ChannelName::of_user(&user.id).map_err(|error| invalid(format!("the id: {error}")))?;
        if user.user_info.as_ref().is_some_and(|info| info.get().len() > limits::USER_DATA) {
            return Err(invalid(format!("user_info exceeds {} bytes", limits::USER_DATA)));
        }
        Ok((user, own))
    }
}
