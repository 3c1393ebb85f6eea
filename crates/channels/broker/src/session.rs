mod authorization;
mod client_events;
mod rate;
mod signing_in;
mod subscribing;

use std::collections::BTreeSet;
use std::sync::Arc;

use pusher_protocol::{ChannelName, CloseCode, Frame, ProtocolEvent, names};
use tokio::time::Instant;

use crate::broker::Shared;
use crate::mailbox::{Ending, Mailbox};
use crate::registry::{Member, Socket};
use rate::Rate;

/// An established connection: what its client's frames do. Ends, with its subscriptions, when dropped.
pub(crate) struct Session {
    shared: Arc<Shared>,
    socket: Arc<Socket>,
    subscriptions: BTreeSet<ChannelName>,
    has_subscribed: bool,
    authorized_until: Option<Instant>,
    /// Whose connection it is, once signed in.
    user: Option<Member>,
    subscribing: Rate,
    client_events: Rate,
    bad_frames: u32,
}

/// A refused frame: the text of the error event, the code if there is one, and the channel it is about.
struct Refusal {
    message: String,
    code: Option<CloseCode>,
    channel: Option<String>,
}

impl Refusal {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: None, channel: None }
    }

    fn of(channel: &str, message: impl Into<String>) -> Self {
        Self { channel: Some(repeated(channel)), ..Self::new(message) }
    }
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
            authorized_until: None,
            user: None,
            subscribing: Rate::default(),
            client_events: Rate::default(),
            bad_frames: 0,
        };
        session
            .reply(&ProtocolEvent::ConnectionEstablished { socket_id: &session.socket.id, activity_timeout });
        shared.registry.hooks().run(&shared.app.signer, &shared.clock, &shared.limits);
        tracing::debug!(socket.id = %session.socket.id, "connection established");
        Ok(session)
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.socket.mailbox
    }

    /// Whether any subscription or sign-in was accepted yet.
    pub(crate) fn has_subscribed(&self) -> bool {
        self.has_subscribed
    }

    /// Something was authorized that ends then; the soonest end stands.
    fn authorized(&mut self, until: Option<Instant>) {
        self.authorized_until = [self.authorized_until, until].into_iter().flatten().min();
    }

    /// When what the connection was authorized for ends, if it does.
    pub(crate) fn authorized_until(&self) -> Option<Instant> {
        self.authorized_until
    }

    pub(crate) fn ping(&self) {
        self.reply(&ProtocolEvent::Ping);
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
                self.reply(&ProtocolEvent::Pong);
                Ok(())
            }
            names::PONG => Ok(()),
            names::SUBSCRIBE => self.subscribe(&frame),
            names::UNSUBSCRIBE => self.unsubscribe(&frame),
            names::SIGNIN => self.sign_in(&frame),
            event if event.starts_with(names::CLIENT_PREFIX) => self.client_event(&frame),
            event => Err(Refusal::new(format!("Unsupported event received on socket: {}", repeated(event)))),
        };
        if let Err(Refusal { message, code, channel }) = done {
            self.reply(&ProtocolEvent::Error { code, message: &message, channel: channel.as_deref() });
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
        self.reply(&ProtocolEvent::Error { code: None, message, channel: None });
        Ok(())
    }

    fn reply(&self, frame: &ProtocolEvent<'_>) {
        self.socket.mailbox.put(frame.encode().into());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.registry.disconnect(&self.socket.id, &self.subscriptions);
        self.shared.tell_counts_later();
        tracing::debug!(socket.id = %self.socket.id, "connection ended");
    }
}

fn repeated(text: &str) -> String {
    text.chars().take(REPEATED).collect()
}
