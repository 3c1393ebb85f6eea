use std::sync::Arc;
use std::time::Duration;

use pusher_protocol::{ChannelKind, ChannelName, CloseCode, Frame, PresenceMember, limits};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::auth_key::{InvalidKey, check_key};
use super::{Rejection, Session, truncated};
use crate::registry::{Member, SubscribeError};

#[derive(Deserialize)]
struct Subscribe {
    channel: String,
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    channel_data: Option<String>,
}

#[derive(Deserialize)]
struct Unsubscribe {
    channel: String,
}

const TEN_SECONDS: Duration = Duration::from_secs(10);

impl Session {
    pub(super) fn subscribe(&mut self, frame: &Frame<'_>) -> Result<(), Rejection> {
        let Ok(request) = frame.data().object::<Subscribe>() else {
            return Err(Rejection::new(
                "Invalid subscription: data must be an object with the text `channel`",
            ));
        };
        let reject = |message: String| Rejection::of_channel(&request.channel, message);
        // A client that reconnects subscribes to all its channels at once.
        let limit = self.shared.limits.subscribe_requests.max(self.shared.limits.subscriptions);
        if !self.subscribe_requests.allows(limit, TEN_SECONDS, Instant::now()) {
            let message = "Subscription rejected due to rate limit".to_owned();
            return Err(Rejection { code: Some(CloseCode::CLIENT_EVENT_RATE), ..reject(message) });
        }
        let channel = ChannelName::new(request.channel.as_str()).map_err(|error| {
            reject(format!("Invalid channel name {}: {error}", truncated(&request.channel)))
        })?;
        if self.subscriptions.contains(&channel) {
            return Err(reject(format!("Existing subscription to channel {channel}")));
        }
        let limit = self.shared.limits.subscriptions;
        if self.subscriptions.len() >= limit {
            return Err(reject(format!(
                "Cannot subscribe to {channel}: a connection has at most {limit} subscriptions"
            )));
        }
        let member = self.authorize(&channel, &request).map_err(reject)?;
        let subscribed = self.shared.registry.subscribe(&self.socket, &channel, member.as_ref());
        let expires = subscribed.map_err(|error| match error {
            SubscribeError::Full => {
                let limit = self.shared.limits.presence_members;
                reject(format!("Cannot subscribe to {channel}: it has at most {limit} members"))
            }
            SubscribeError::Revoked(error) => reject(format!("Cannot subscribe to {channel}: {error}")),
        })?;
        self.shared.send_delayed_counts();
        tracing::debug!(socket.id = %self.socket.id, channel.name = %channel, "subscribed");
        self.authorized(expires);
        self.subscriptions.insert(channel);
        self.has_subscribed = true;
        Ok(())
    }

    /// Checks that the connection may subscribe, and returns the member for a presence channel.
    fn authorize(&self, channel: &ChannelName, request: &Subscribe) -> Result<Option<Member>, String> {
        match channel.kind() {
            ChannelKind::Public | ChannelKind::Cache => return Ok(None),
            ChannelKind::ServerToUser => return self.authorize_own_channel(channel),
            _ => {}
        }
        let signer = &self.shared.signer;
        let auth = request.auth.as_deref().unwrap_or_default();
        if auth.is_empty() {
            return Err(format!("Auth info required to subscribe to {channel}"));
        }
        check_key(signer, auth).map_err(|error| match error {
            InvalidKey::Format => format!(
                "Auth value for subscription to {channel} is invalid: should be of format 'key:signature'"
            ),
            InvalidKey::Unknown(key) => format!("Invalid key in subscription auth data: '{key}'"),
        })?;
        let wrong_signature =
            || format!("Invalid signature: expected one by the app secret of {}:{channel}", self.socket.id);
        let data = request.channel_data.as_deref().filter(|data| !data.is_empty());
        match (channel.kind().is_presence(), data, &self.user) {
            (false, ..) => {
                signer.verify_channel(auth, &self.socket.id, channel, None).map_err(|_| wrong_signature())?;
                Ok(None)
            }
            (true, Some(data), _) => {
                let invalid =
                    |problem| format!("Invalid channel_data for subscription to {channel}: {problem}");
                signer.verify_channel(auth, &self.socket.id, channel, Some(data)).map_err(
                    |error| match error.kind() {
                        pusher_signer::ErrorKind::ChannelData => invalid(error.to_string()),
                        _ => format!("{}:channel_data", wrong_signature()),
                    },
                )?;
                member(data).map(Some).map_err(invalid)
            }
            // A signed-in connection joins as its user with a signature for the channel alone.
            (true, None, Some(user)) => {
                let text = format!("{}:{channel}", self.socket.id);
                let signature = auth.rsplit_once(':').map(|(_, signature)| signature).unwrap_or_default();
                match signer.verify(text.as_bytes(), signature) {
                    true => Ok(Some(user.clone())),
                    false => Err(wrong_signature()),
                }
            }
            (true, None, None) => {
                Err(format!("channel_data required to subscribe to {channel}, or a signed-in user"))
            }
        }
    }

    fn authorize_own_channel(&self, channel: &ChannelName) -> Result<Option<Member>, String> {
        let own = self.user.as_ref().and_then(|user| ChannelName::of_user(&user.user_id).ok());
        match own.as_ref() == Some(channel) {
            true => Ok(None),
            false => {
                Err(format!("Cannot subscribe to {channel}: the connection is not signed in as its user"))
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, frame: &Frame<'_>) -> Result<(), Rejection> {
        let Ok(Unsubscribe { channel }) = frame.data().object() else {
            return Err(Rejection::new(
                "Invalid unsubscription: data must be an object with the text `channel`",
            ));
        };
        let Some(channel) = self.subscriptions.take(channel.as_str()) else {
            let message = format!(
                "No current subscription to channel {}, or subscription in progress",
                truncated(&channel)
            );
            return Err(Rejection::of_channel(&channel, message));
        };
        self.shared.registry.unsubscribe(&self.socket.id, &channel);
        self.shared.send_delayed_counts();
        Ok(())
    }
}

/// Parses the user of `channel_data` and checks Pusher's limits.
fn member(channel_data: &str) -> Result<Member, String> {
    let PresenceMember { id, info, .. } =
        PresenceMember::parse_text(channel_data).map_err(|_| "it has no user_id".to_owned())?;
    if id.chars().count() > limits::USER_ID {
        return Err(format!("user_id exceeds {} characters", limits::USER_ID));
    }
    if info.len() > limits::USER_DATA {
        return Err(format!("user_info exceeds {} bytes", limits::USER_DATA));
    }
    let user_info = RawValue::from_string(info).ok().filter(|info| info.get() != "null");
    Ok(Member { user_id: Arc::from(id), user_info })
}
