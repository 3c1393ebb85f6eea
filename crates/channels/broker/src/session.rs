mod auth_key;
mod client_events;
mod rate_limit;
mod rejection;
mod sign_in;
mod subscribe;

use std::collections::BTreeSet;
use std::sync::Arc;

use pusher_protocol::{ChannelName, CloseCode, Frame, ProtocolEvent, names};
use tokio::time::Instant;

use crate::close::Close;
use crate::registry::{Member, Socket};
use crate::send_queue::SendQueue;
use crate::shared::Shared;
use rate_limit::RateLimit;
use rejection::{Rejection, truncated};

/// An established connection: handles the frames of its client. Dropping it removes the connection
/// and its subscriptions.
pub(crate) struct Session {
    shared: Arc<Shared>,
    socket: Arc<Socket>,
    subscriptions: BTreeSet<ChannelName>,
    has_subscribed: bool,
    authorization_expiry: Option<Instant>,
    /// The user, once signed in.
    user: Option<Member>,
    subscribe_requests: RateLimit,
    client_events: RateLimit,
    bad_frames: u32,
}

const TOO_MANY_BAD_FRAMES: Close =
    Close::new(CloseCode::UNSUPPORTED, "Too many frames that are not of the protocol");

impl Session {
    /// Establishes a connection and queues its first event.
    ///
    /// # Errors
    /// Returns why to close it, if the broker is shutting down or the quota is used up.
    pub(crate) fn open(shared: &Arc<Shared>) -> Result<Self, Close> {
        let socket = shared.registry.connect(SendQueue::new(shared.limits.send_queue))?;
        let activity_timeout = shared.limits.activity_timeout.as_secs().max(1);
        let session = Self {
            shared: shared.clone(),
            socket,
            subscriptions: BTreeSet::new(),
            has_subscribed: false,
            authorization_expiry: None,
            user: None,
            subscribe_requests: RateLimit::default(),
            client_events: RateLimit::default(),
            bad_frames: 0,
        };
        session
            .reply(&ProtocolEvent::ConnectionEstablished { socket_id: &session.socket.id, activity_timeout });
        shared.registry.webhooks().start(&shared.signer, &shared.clock, &shared.limits, &shared.tasks);
        tracing::debug!(socket.id = %session.socket.id, "connection established");
        Ok(session)
    }

    pub(crate) fn queue(&self) -> &SendQueue {
        &self.socket.queue
    }

    /// Returns whether any subscription or sign-in succeeded yet.
    pub(crate) fn has_subscribed(&self) -> bool {
        self.has_subscribed
    }

    /// Returns when the first authorization that the connection used expires, if ever.
    pub(crate) fn authorization_expiry(&self) -> Option<Instant> {
        self.authorization_expiry
    }

    /// Notes that an authorization was used. The earliest expiry wins.
    fn authorized(&mut self, expires: Option<Instant>) {
        self.authorization_expiry = [self.authorization_expiry, expires].into_iter().flatten().min();
    }

    pub(crate) fn ping(&self) {
        self.reply(&ProtocolEvent::Ping);
    }

    /// Handles a text frame.
    ///
    /// # Errors
    /// Returns why to close the connection, after too many malformed frames.
    pub(crate) fn receive(&mut self, text: &str) -> Result<(), Close> {
        self.shared.counters.messages_in.add(1);
        let Ok(frame) = Frame::parse(text) else {
            return self.bad_frame("Invalid message: a JSON object with the text `event` is required");
        };
        let result = match frame.event.as_ref() {
            names::PING => {
                self.reply(&ProtocolEvent::Pong);
                Ok(())
            }
            names::PONG => Ok(()),
            names::SUBSCRIBE => self.subscribe(&frame),
            names::UNSUBSCRIBE => self.unsubscribe(&frame),
            names::SIGNIN => self.sign_in(&frame),
            event if event.starts_with(names::CLIENT_PREFIX) => self.client_event(&frame),
            event => {
                Err(Rejection::new(format!("Unsupported event received on socket: {}", truncated(event))))
            }
        };
        if let Err(Rejection { message, code, channel }) = result {
            self.reply(&ProtocolEvent::Error { code, message: &message, channel: channel.as_deref() });
        }
        Ok(())
    }

    /// Rejects a binary frame.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub(crate) fn receive_binary(&mut self) -> Result<(), Close> {
        self.shared.counters.messages_in.add(1);
        self.bad_frame("Binary messages are not supported")
    }

    fn bad_frame(&mut self, message: &str) -> Result<(), Close> {
        self.bad_frames = self.bad_frames.saturating_add(1);
        if self.bad_frames > self.shared.limits.bad_frames {
            return Err(TOO_MANY_BAD_FRAMES);
        }
        self.reply(&ProtocolEvent::Error { code: None, message, channel: None });
        Ok(())
    }

    fn reply(&self, frame: &ProtocolEvent<'_>) {
        self.socket.queue.push(frame.encode().into());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.registry.disconnect(&self.socket, &self.subscriptions);
        self.shared.send_delayed_counts();
        tracing::debug!(socket.id = %self.socket.id, "connection ended");
    }
}
