use std::collections::BTreeSet;
use std::sync::Arc;

use pusher_protocol::{ChannelKind, ChannelName, CloseCode, Frame, Outgoing, names};
use serde::Deserialize;

use crate::broker::Shared;
use crate::mailbox::{Ending, Mailbox};
use crate::registry::Socket;
use crate::served;

/// An established connection: what its client's frames do. Ends, with its subscriptions, when dropped.
pub(crate) struct Session {
    shared: Arc<Shared>,
    socket: Arc<Socket>,
    subscriptions: BTreeSet<ChannelName>,
    has_subscribed: bool,
    bad_frames: u32,
}

/// A refused frame: the text of the error event, and the channel it is about.
struct Refusal {
    message: String,
    channel: Option<String>,
}

#[derive(Deserialize)]
struct Subscribe {
    channel: String,
    #[serde(default)]
    auth: Option<String>,
}

#[derive(Deserialize)]
struct Unsubscribe {
    channel: String,
}

/// Characters of a client's text that an error repeats.
const REPEATED: usize = 200;

const TOO_MANY_BAD_FRAMES: Ending =
    Ending::new(CloseCode::UNSUPPORTED, "Too many frames that are not of the protocol");

impl Session {
    /// Establishes a connection; the client is told so.
    ///
    /// # Errors
    /// The ending, when the broker is shutting down.
    pub(crate) fn open(shared: &Arc<Shared>) -> Result<Self, Ending> {
        let socket = shared.registry.connect(Mailbox::new(shared.limits.queue))?;
        let activity_timeout = shared.limits.activity_timeout.as_secs().max(1);
        let session = Self {
            shared: shared.clone(),
            socket,
            subscriptions: BTreeSet::new(),
            has_subscribed: false,
            bad_frames: 0,
        };
        session.reply(&Outgoing::ConnectionEstablished { socket_id: &session.socket.id, activity_timeout });
        tracing::debug!(socket.id = %session.socket.id, "connection established");
        Ok(session)
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.socket.mailbox
    }

    /// Whether any subscription was accepted yet.
    pub(crate) fn has_subscribed(&self) -> bool {
        self.has_subscribed
    }

    pub(crate) fn ping(&self) {
        self.reply(&Outgoing::Ping);
    }

    /// Acts on a text frame.
    ///
    /// # Errors
    /// The ending, after too many frames that are not of the protocol.
    pub(crate) fn receive(&mut self, text: &str) -> Result<(), Ending> {
        let Ok(frame) = Frame::parse(text) else {
            return self.bad_frame("Invalid message: a JSON object with the text `event` is required");
        };
        let done = match frame.event.as_ref() {
            names::PING => {
                self.reply(&Outgoing::Pong);
                Ok(())
            }
            names::PONG => Ok(()),
            names::SUBSCRIBE => self.subscribe(&frame),
            names::UNSUBSCRIBE => self.unsubscribe(&frame),
            event if event.starts_with(names::CLIENT_PREFIX) => Err(Refusal {
                message:
                    "To send client events, you must enable this feature in the Settings page of your dashboard."
                        .to_owned(),
                channel: frame.channel.as_deref().map(repeated),
            }),
            event => Err(Refusal {
                message: format!("Unsupported event received on socket: {}", repeated(event)),
                channel: None,
            }),
        };
        if let Err(Refusal { message, channel }) = done {
            self.reply(&Outgoing::Error { code: None, message: &message, channel: channel.as_deref() });
        }
        Ok(())
    }

    /// Refuses a binary frame.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub(crate) fn receive_binary(&mut self) -> Result<(), Ending> {
        self.bad_frame("Binary messages are not supported")
    }

    fn bad_frame(&mut self, message: &str) -> Result<(), Ending> {
        self.bad_frames = self.bad_frames.saturating_add(1);
        if self.bad_frames > self.shared.limits.bad_frames {
            return Err(TOO_MANY_BAD_FRAMES);
        }
        self.reply(&Outgoing::Error { code: None, message, channel: None });
        Ok(())
    }

    fn subscribe(&mut self, frame: &Frame<'_>) -> Result<(), Refusal> {
        let Ok(request) = frame.data().json::<Subscribe>() else {
            return Err(Refusal {
                message: "Invalid subscription: data must be an object with the text `channel`".to_owned(),
                channel: None,
            });
        };
        let refuse = |message: String| Refusal { message, channel: Some(repeated(&request.channel)) };
        let channel = ChannelName::new(request.channel.as_str())
            .map_err(|why| refuse(format!("Invalid channel name {}: {why}", repeated(&request.channel))))?;
        served::check(&channel).map_err(|why| refuse(why.to_string()))?;
        if self.subscriptions.contains(&channel) {
            return Err(refuse(format!("Existing subscription to channel {channel}")));
        }
        let limit = self.shared.limits.subscriptions;
        if self.subscriptions.len() >= limit {
            return Err(refuse(format!(
                "Cannot subscribe to {channel}: a connection has at most {limit} subscriptions"
            )));
        }
        if channel.kind() != ChannelKind::Public {
            self.authorize(&channel, request.auth.as_deref().unwrap_or_default()).map_err(refuse)?;
        }
        let confirmation = Outgoing::SubscriptionSucceeded { channel: &channel }.encode();
        self.shared.registry.subscribe(&self.socket, &channel, confirmation.into());
        tracing::debug!(socket.id = %self.socket.id, channel.name = %channel, "subscribed");
        self.subscriptions.insert(channel);
        self.has_subscribed = true;
        Ok(())
    }

    /// Pusher's texts, but for the signature that would have been right.
    fn authorize(&self, channel: &ChannelName, auth: &str) -> Result<(), String> {
        let signer = &self.shared.app.signer;
        if auth.is_empty() {
            return Err(format!("Auth info required to subscribe to {channel}"));
        }
        let Some((key, _)) = auth.split_once(':') else {
            return Err(format!(
                "Auth value for subscription to {channel} is invalid: should be of format 'key:signature'"
            ));
        };
        if key != signer.key() {
            return Err(format!("Invalid key in subscription auth data: '{}'", repeated(key)));
        }
        signer.verify_channel(auth, &self.socket.id, channel, None).map_err(|_| {
            format!("Invalid signature: expected one by the app secret of {}:{channel}", self.socket.id)
        })
    }

    fn unsubscribe(&mut self, frame: &Frame<'_>) -> Result<(), Refusal> {
        let Ok(Unsubscribe { channel }) = frame.data().json() else {
            return Err(Refusal {
                message: "Invalid unsubscription: data must be an object with the text `channel`".to_owned(),
                channel: None,
            });
        };
        let Some(channel) = self.subscriptions.take(channel.as_str()) else {
            let channel = repeated(&channel);
            return Err(Refusal {
                message: format!("No current subscription to channel {channel}, or subscription in progress"),
                channel: Some(channel),
            });
        };
        self.shared.registry.unsubscribe(&self.socket.id, &channel);
        Ok(())
    }

    fn reply(&self, frame: &Outgoing<'_>) {
        self.socket.mailbox.put(frame.encode().into());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.registry.disconnect(&self.socket.id, &self.subscriptions);
        tracing::debug!(socket.id = %self.socket.id, "connection ended");
    }
}

fn repeated(text: &str) -> String {
    text.chars().take(REPEATED).collect()
}
