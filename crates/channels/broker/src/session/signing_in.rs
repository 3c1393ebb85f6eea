use std::collections::BTreeSet;
use std::sync::Arc;

use pusher_protocol::{ChannelName, CloseCode, Frame, ProtocolEvent, limits};
use pusher_signer::ErrorKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::authorization::{Invalid, check_key};
use super::{Refusal, Session};
use crate::registry::{Member, Revoked};

#[derive(Deserialize)]
struct SignIn {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    user_data: Option<String>,
}

/// What `user_data` may have.
#[derive(Deserialize)]
struct UserData {
    id: String,
    #[serde(default)]
    user_info: Option<Box<RawValue>>,
    #[serde(default)]
    watchlist: Option<Vec<String>>,
}

impl Session {
    pub(super) fn sign_in(&mut self, frame: &Frame<'_>) -> Result<(), Refusal> {
        let Ok(SignIn { auth, user_data }) = frame.data().json() else {
            return Err(Refusal::new("Invalid signin: data must be an object with `auth` and `user_data`"));
        };
        let given = |name: &str, text: Option<String>| {
            let text = text.filter(|text| !text.is_empty());
            text.ok_or_else(|| Refusal::new(format!("Missing parameter: data.{name}")))
        };
        let auth = given("auth", auth)?;
        let text = given("user_data", user_data)?;
        let (user, own) = self.authenticate(&auth, &text).map_err(Refusal::new)?;
        let UserData { id, user_info, watchlist } = user;
        let revoked = |why: Revoked| Refusal::new(format!("Cannot sign in: {why}"));
        match &self.user {
            Some(user) if *user.user_id != *id => {
                return Err(Refusal::new("Connection already associated with a different user id"));
            }
            // It knows who is there.
            Some(_) => {
                let until = self.socket.authorized_until(&own).map_err(revoked)?;
                self.authorized(until);
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
        let until = self
            .shared
            .registry
            .sign_in(&self.socket, &own, user_id.clone(), watched, success.into())
            .map_err(revoked)?;
        tracing::debug!(socket.id = %self.socket.id, "signed in");
        self.user = Some(Member { user_id, user_info });
        self.has_subscribed = true;
        self.authorized(until);
        if is_too_long {
            let message =
                format!("The watchlist has more than {limit} user ids: the first {limit} are watched");
            return Err(Refusal { code: Some(CloseCode::WATCHLIST_LIMIT), ..Refusal::new(message) });
        }
        Ok(())
    }

    /// Who signs in, and the channel of its own.
    fn authenticate(&self, auth: &str, text: &str) -> Result<(UserData, ChannelName), String> {
        let signer = &self.shared.app.signer;
        check_key(signer, auth).map_err(|why| match why {
            Invalid::Format => {
                "Auth value for signin is invalid: should be of format 'key:signature'".to_owned()
            }
            Invalid::Key(key) => format!("Invalid key in signin auth data: '{key}'"),
        })?;
        signer.verify_user(auth, &self.socket.id, text).map_err(|why| match why.kind() {
            ErrorKind::UserData => format!("Invalid user_data for signin: {why}"),
            _ => format!(
                "Invalid signature: expected one by the app secret of {}::user::user_data",
                self.socket.id
            ),
        })?;
        let invalid = |why: String| format!("Invalid user_data for signin: {why}");
        let user: UserData = serde_json::from_str(text)
            .map_err(|_| invalid("watchlist must be a list of texts".to_owned()))?;
        // As long as it can have a channel.
        let own = ChannelName::of_user(&user.id).map_err(|why| invalid(format!("the id: {why}")))?;
        if user.user_info.as_ref().is_some_and(|info| info.get().len() > limits::USER_DATA) {
            return Err(invalid(format!("a user_info has at most {} bytes", limits::USER_DATA)));
        }
        Ok((user, own))
    }
}
