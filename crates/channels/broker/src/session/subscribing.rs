use std::sync::Arc;
use std::time::Duration;

use pusher_protocol::{ChannelKind, ChannelName, CloseCode, Frame, PresenceMember, limits};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::authorization::{Invalid, check_key};
use super::{Refusal, Session, repeated};
use crate::registry::{Member, NotSubscribed};

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
    pub(super) fn subscribe(&mut self, frame: &Frame<'_>) -> Result<(), Refusal> {
        let Ok(request) = frame.data().json::<Subscribe>() else {
            return Err(Refusal::new("Invalid subscription: data must be an object with the text `channel`"));
        };
        let refuse = |message: String| Refusal::of(&request.channel, message);
        // Who comes back asks for all its channels at once.
        let most = self.shared.limits.subscribing.max(self.shared.limits.subscriptions);
        if !self.subscribing.allows(most, TEN_SECONDS, Instant::now()) {
            let message = "Subscription rejected due to rate limit".to_owned();
            return Err(Refusal { code: Some(CloseCode::CLIENT_EVENT_RATE), ..refuse(message) });
        }
        let channel = ChannelName::new(request.channel.as_str())
            .map_err(|why| refuse(format!("Invalid channel name {}: {why}", repeated(&request.channel))))?;
        if self.subscriptions.contains(&channel) {
            return Err(refuse(format!("Existing subscription to channel {channel}")));
        }
        let limit = self.shared.limits.subscriptions;
        if self.subscriptions.len() >= limit {
            return Err(refuse(format!(
                "Cannot subscribe to {channel}: a connection has at most {limit} subscriptions"
            )));
        }
        let member = self.authorize(&channel, &request).map_err(refuse)?;
        let subscribed = self.shared.registry.subscribe(&self.socket, &channel, member.as_ref());
        let until = subscribed.map_err(|why| match why {
            NotSubscribed::Full => {
                let limit = self.shared.limits.presence_members;
                refuse(format!("Cannot subscribe to {channel}: it has at most {limit} members"))
            }
            NotSubscribed::Revoked(why) => refuse(format!("Cannot subscribe to {channel}: {why}")),
        })?;
        self.shared.tell_counts_later();
        tracing::debug!(socket.id = %self.socket.id, channel.name = %channel, "subscribed");
        self.authorized(until);
        self.subscriptions.insert(channel);
        self.has_subscribed = true;
        Ok(())
    }

    /// Whether the connection may subscribe, and as whom to a presence channel.
    fn authorize(&self, channel: &ChannelName, request: &Subscribe) -> Result<Option<Member>, String> {
        match channel.kind() {
            ChannelKind::Public | ChannelKind::Cache => return Ok(None),
            ChannelKind::ServerToUser => return self.authorize_own(channel),
            _ => {}
        }
        let signer = &self.shared.app.signer;
        let auth = request.auth.as_deref().unwrap_or_default();
        if auth.is_empty() {
            return Err(format!("Auth info required to subscribe to {channel}"));
        }
        check_key(signer, auth).map_err(|why| match why {
            Invalid::Format => format!(
                "Auth value for subscription to {channel} is invalid: should be of format 'key:signature'"
            ),
            Invalid::Key(key) => format!("Invalid key in subscription auth data: '{key}'"),
        })?;
        let wrong =
            || format!("Invalid signature: expected one by the app secret of {}:{channel}", self.socket.id);
        let data = request.channel_data.as_deref().filter(|data| !data.is_empty());
        match (channel.kind().is_presence(), data, &self.user) {
            (false, ..) => {
                signer.verify_channel(auth, &self.socket.id, channel, None).map_err(|_| wrong())?;
                Ok(None)
            }
            (true, Some(data), _) => {
                let invalid = |why| format!("Invalid channel_data for subscription to {channel}: {why}");
                signer.verify_channel(auth, &self.socket.id, channel, Some(data)).map_err(|why| match why
                    .kind()
                {
                    pusher_signer::ErrorKind::ChannelData => invalid(why.to_string()),
                    _ => format!("{}:channel_data", wrong()),
                })?;
                member(data).map(Some).map_err(invalid)
            }
            // Whoever is signed in is the user that it is signed in as, with a signature of the channel alone.
            (true, None, Some(user)) => {
                let text = format!("{}:{channel}", self.socket.id);
                let signature = auth.split_once(':').map(|(_, signature)| signature).unwrap_or_default();
                match signer.verify(text.as_bytes(), signature) {
                    true => Ok(Some(user.clone())),
                    false => Err(wrong()),
                }
            }
            (true, None, None) => {
                Err(format!("channel_data required to subscribe to {channel}, or a signed-in user"))
            }
        }
    }

    fn authorize_own(&self, channel: &ChannelName) -> Result<Option<Member>, String> {
        let own = self.user.as_ref().and_then(|user| ChannelName::of_user(&user.user_id).ok());
        match own.as_ref() == Some(channel) {
            true => Ok(None),
            false => {
                Err(format!("Cannot subscribe to {channel}: the connection is not signed in as its user"))
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, frame: &Frame<'_>) -> Result<(), Refusal> {
        let Ok(Unsubscribe { channel }) = frame.data().json() else {
            return Err(Refusal::new(
                "Invalid unsubscription: data must be an object with the text `channel`",
            ));
        };
        let Some(channel) = self.subscriptions.take(channel.as_str()) else {
            let message = format!(
                "No current subscription to channel {}, or subscription in progress",
                repeated(&channel)
            );
            return Err(Refusal::of(&channel, message));
        };
        self.shared.registry.unsubscribe(&self.socket.id, &channel);
        self.shared.tell_counts_later();
        Ok(())
    }
}

/// The user that signed `channel_data` names, within Pusher's limits.
fn member(channel_data: &str) -> Result<Member, String> {
    let PresenceMember { id, info, .. } =
        PresenceMember::parse_text(channel_data).map_err(|_| "it names no user".to_owned())?;
    if id.chars().count() > limits::USER_ID {
        return Err(format!("a user_id has at most {} characters", limits::USER_ID));
    }
    if info.len() > limits::USER_DATA {
        return Err(format!("a user_info has at most {} bytes", limits::USER_DATA));
    }
    let user_info = RawValue::from_string(info).ok().filter(|info| info.get() != "null");
    Ok(Member { user_id: Arc::from(id), user_info })
}
