mod signing_in;
mod subscribing;
mod triggering;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use pusher_protocol::{CloseCode, Frame, ProtocolEvent, Reaction, names};
use rand::rngs::StdRng;
use tokio::sync::{Notify, Semaphore, broadcast, mpsc, watch};
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};

use super::ConnectionState;
use super::binding::Bindings;
use super::command::Command;
use super::connection::{AuthAnswer, Connection, ConnectionEvent, OpenConnection};
use super::disconnect_reason::DisconnectReason;
use super::rate_limiter::RateLimiter;
use super::reconnect::{Attempts, Next};
use super::registry::{Delivered, Phase, Registry};
use super::server_message::ServerMessage;
use super::settings::Settings;
use super::sign_in::{SignIn, Stage};
use crate::{Error, connect_error};

/// The most frames that wait for a server that does not read, besides four per channel.
const MAX_UNSENT: usize = 1024;
/// The most concurrent calls of the authorizer, so that many channels do not overload the app's
/// endpoint.
const MAX_AUTHORIZATIONS: usize = 16;
/// How long after a `pusher:error` a close without a code of its own is the one that it announced.
const ANNOUNCED: Duration = Duration::from_secs(2);
/// The close code for a normal closure (RFC 6455, 7.4.1).
const NORMAL: CloseCode = CloseCode(1000);

/// The task that owns the connection and the subscriptions.
pub(crate) struct Actor {
    settings: Settings,
    commands: mpsc::Receiver<Command>,
    dropped: Arc<Notify>,
    state: watch::Sender<ConnectionState>,
    errors: broadcast::Sender<Error>,
    rng: StdRng,
    registry: Registry,
    bindings: Bindings,
    sign_in: SignIn,
    client_events: RateLimiter,
    connection: Connection,
    attempts: Attempts,
    authorization_permits: Arc<Semaphore>,
    /// The time since which there is no connection although one is wanted.
    offline_since: Instant,
    /// The reason that was reported last, with its causes.
    reported: Option<String>,
}

enum Turn {
    Command(Command),
    Dropped,
    Timer,
    Connection(ConnectionEvent),
}

impl Actor {
    pub(crate) fn new(
        settings: Settings,
        commands: mpsc::Receiver<Command>,
        dropped: Arc<Notify>,
        state: watch::Sender<ConnectionState>,
        errors: broadcast::Sender<Error>,
        rng: StdRng,
    ) -> Self {
        Self {
            client_events: RateLimiter::new(settings.limits.client_events),
            settings,
            commands,
            dropped,
            state,
            errors,
            rng,
            registry: Registry::default(),
            bindings: Bindings::default(),
            sign_in: SignIn::default(),
            connection: Connection::Idle,
            attempts: Attempts::default(),
            authorization_permits: Arc::new(Semaphore::new(MAX_AUTHORIZATIONS)),
            offline_since: Instant::now(),
            reported: None,
        }
    }

    /// Runs until the last handle is dropped.
    pub(crate) async fn run(mut self) {
        while let Some(turn) = self.turn().await {
            match turn {
                Turn::Command(command) => self.run_command(command),
                Turn::Dropped => self.remove_unused(),
                Turn::Timer => self.timer(),
                Turn::Connection(event) => self.connection_event(event),
            }
            // Otherwise a burst is read without a pause, and overflows subscribers on the same
            // thread.
            consume_budget().await;
        }
        if let Connection::Open(connection) = std::mem::replace(&mut self.connection, Connection::Idle) {
            connection.session.close(NORMAL).await;
        }
    }

    async fn turn(&mut self) -> Option<Turn> {
        let timer = self.registry.next_timer().into_iter().chain(self.sign_in.deadline).min();
        tokio::select! {
            biased;
            command = self.commands.recv() => command.map(Turn::Command),
            () = self.dropped.notified() => Some(Turn::Dropped),
            () = due(timer) => Some(Turn::Timer),
            event = self.connection.next() => Some(Turn::Connection(event)),
        }
    }

    fn run_command(&mut self, command: Command) {
        match command {
            Command::Connect(done) => {
                self.connect();
                let _ = done.send(());
            }
            Command::Disconnect(done) => {
                self.end_connection(NORMAL);
                self.state.send_replace(ConnectionState::Disconnected);
                let _ = done.send(());
            }
            Command::PingNow(done) => {
                self.ping_now();
                let _ = done.send(());
            }
            Command::Subscribe(channel, subscriber) => {
                let is_new = self.registry.join(channel.clone(), subscriber);
                if let ConnectionState::Failed { reason } = &*self.state.borrow() {
                    self.registry.refuse(&channel, reason);
                } else if is_new {
                    self.start_subscription(&channel);
                }
            }
            Command::Unsubscribe(channel, done) => {
                self.registry.leave(&channel);
                self.remove_unused();
                let _ = done.send(());
            }
            Command::Bind(filter, queue) => self.bindings.add(filter, queue),
            Command::SignIn(handle) => self.join_sign_in(handle),
            Command::Trigger(event, done) => {
                let _ = done.send(self.trigger(&event));
            }
        }
    }

    fn ping_now(&mut self) {
        match &mut self.connection {
            Connection::Open(connection) => connection.session.ping_now(),
            Connection::Waiting(_) => self.connect(),
            Connection::Idle | Connection::Connecting(_) => {}
        }
    }

    pub(crate) fn connect(&mut self) {
        match self.connection {
            Connection::Idle => {
                self.attempts = Attempts::default();
                self.offline_since = Instant::now();
                self.state.send_replace(ConnectionState::Connecting);
            }
            Connection::Waiting(_) => {}
            Connection::Connecting(_) | Connection::Open(_) => return,
        }
        self.connection = Connection::connecting(self.settings.clone());
    }

    fn connection_event(&mut self, event: ConnectionEvent) {
        match event {
            ConnectionEvent::RetryDue => self.connection = Connection::connecting(self.settings.clone()),
            ConnectionEvent::Attempted(Ok(connection)) => self.established(connection),
            ConnectionEvent::Attempted(Err(reason)) => {
                // A refusal ends the client, and is logged and sent to its users as such.
                if reason.reaction() != Reaction::Stop {
                    self.report(&reason.to_error());
                }
                self.retry(&reason, Duration::ZERO);
            }
            ConnectionEvent::Message(text) => self.message(&text),
            ConnectionEvent::Lost(reason) => self.lost(reason),
            ConnectionEvent::AuthAnswered(answer) => self.auth_answered(answer),
        }
    }

    fn auth_answered(&mut self, answer: AuthAnswer) {
        match answer {
            AuthAnswer::Subscription(ticket, channel, answer) => self.authorized(ticket, &channel, answer),
            AuthAnswer::Key(ticket, channel, answer) => self.key_renewed(ticket, &channel, answer),
            AuthAnswer::SignIn(ticket, answer) => self.authenticated(ticket, answer),
        }
    }

    fn established(&mut self, connection: Box<OpenConnection>) {
        match self.reported.take() {
            Some(_) => {
                tracing::info!(socket.id = %connection.socket_id, "connected to the Channels server again")
            }
            None => tracing::debug!(socket.id = %connection.socket_id, "connected to the Channels server"),
        }
        self.state.send_replace(ConnectionState::Connected { socket_id: connection.socket_id.clone() });
        self.connection = Connection::Open(connection);
        self.sign_in();
        for channel in self.registry.names() {
            self.start_subscription(&channel);
        }
    }

    fn message(&mut self, text: &str) {
        let message = ServerMessage::parse(text);
        if let (Connection::Open(connection), false) =
            (&mut self.connection, matches!(message, ServerMessage::Error(..)))
        {
            connection.announced_close = None;
        }
        match message {
            ServerMessage::Ping => self.send(&ProtocolEvent::Pong),
            ServerMessage::Event(channel, frame) => self.event(&channel, frame),
            ServerMessage::Subscribed(channel, members) => self.subscribed(&channel, members),
            ServerMessage::MemberAdded(channel, member) => self.registry.member_added(&channel, member),
            ServerMessage::MemberRemoved(channel, member) => self.registry.member_removed(&channel, &member),
            ServerMessage::SubscriptionCount(channel, count) => {
                self.registry.subscription_count(&channel, count);
            }
            ServerMessage::CacheMiss(channel) => self.registry.cache_miss(&channel),
            ServerMessage::SignedIn(user) => self.signed_in(user),
            ServerMessage::Watchlist(changes) => self.sign_in.watchlist(changes),
            ServerMessage::Rejected(channel, error) => self.rejected(&channel, error),
            ServerMessage::Error(Some(channel), error)
                if self.registry.phase(&channel) == Some(Phase::Requested) =>
            {
                self.rejected(&channel, error);
            }
            ServerMessage::Error(_, error) => self.server_error(error),
            ServerMessage::Ignored => {}
            ServerMessage::Malformed => {
                tracing::debug!(bytes = text.len(), "ignored a malformed message of the server")
            }
        }
    }

    fn event(&mut self, channel: &str, frame: Frame<'_>) {
        if channel.starts_with(names::SERVER_TO_USER_PREFIX) {
            if let Some(event) = self.sign_in.deliver(channel, frame) {
                self.bindings.deliver(&event);
            }
            return;
        }
        match self.registry.deliver(channel, frame) {
            Delivered::Event(event) => self.bindings.deliver(&event),
            Delivered::KeyNeeded => self.renew_key(channel),
            Delivered::Nothing => {}
        }
    }

    /// Handles an error event about the connection. Codes below 4300 may announce a close, which is
    /// handled when it happens.
    fn server_error(&mut self, error: Error) {
        tracing::debug!(pusher.code = error.code(), "the Channels server reported an error");
        if let (Connection::Open(connection), Some(code @ ..4300)) = (&mut self.connection, error.code()) {
            let reason = DisconnectReason::Closed(CloseCode(code), error.to_string());
            connection.announced_close = Some((Instant::now(), reason));
        }
        self.registry.server_error(&error);
        if self.sign_in.stage == Stage::Requested {
            self.sign_in.server_error = Some(error.clone());
        }
        let _ = self.errors.send(error);
    }

    fn lost(&mut self, reason: DisconnectReason) {
        let Connection::Open(connection) = std::mem::replace(&mut self.connection, Connection::Idle) else {
            return;
        };
        let connection = *connection;
        let lasted = connection.established_at.elapsed();
        let reason = match connection.announced_close {
            Some((at, announced)) if !reason.has_pusher_code() && at.elapsed() <= ANNOUNCED => announced,
            _ => reason,
        };
        match reason {
            DisconnectReason::Closed(..) => drop(tokio::spawn(connection.session.close(NORMAL))),
            DisconnectReason::MessageTooLarge => {
                drop(tokio::spawn(connection.session.close(CloseCode::TOO_BIG)));
            }
            DisconnectReason::PongTimeout | DisconnectReason::NotReading | DisconnectReason::Failed(_) => {}
        }
        let reason = match reason {
            // The auth endpoint may have been down. That is not a permanent refusal.
            DisconnectReason::Closed(CloseCode::UNAUTHORIZED, _)
                if !self.registry.is_authorized() && self.sign_in.user().is_none() =>
            {
                DisconnectReason::failed("no channel was authorized in time")
            }
            reason => reason,
        };
        self.registry.interrupt();
        self.sign_in.interrupt();
        self.offline_since = Instant::now();
        self.retry(&reason, lasted);
    }

    /// Reports why an attempt failed, unless it is the reason that was reported last.
    fn report(&mut self, reason: &Error) {
        let text = Some(connect_error::chain(reason));
        if self.reported == text {
            return;
        }
        self.reported = text;
        let error: &dyn std::error::Error = reason;
        tracing::warn!(error, "cannot connect to the Channels server; trying again");
        let _ = self.errors.send(reason.clone());
    }

    /// Decides what follows a failed attempt or a lost connection.
    fn retry(&mut self, reason: &DisconnectReason, lasted: Duration) {
        let next = self.attempts.next(&self.settings.limits.reconnect, reason, lasted, &mut self.rng);
        let reason = reason.to_error();
        let error: &dyn std::error::Error = &reason;
        match next {
            Next::Stop => {
                tracing::warn!(error, "the Channels server refused the connection; not reconnecting");
                self.connection = Connection::Idle;
                self.registry.refuse_all(&reason);
                self.sign_in.refuse(&reason);
                self.state.send_replace(ConnectionState::Failed { reason });
            }
            Next::Retry(attempt, delay) => {
                tracing::debug!(error, attempt, ?delay, "not connected to the Channels server; reconnecting");
                self.connection = Connection::waiting(delay);
                let offline = self.offline_since.elapsed();
                self.state.send_replace(match offline >= self.settings.limits.unavailable_after {
                    true => ConnectionState::Unavailable { reason },
                    false => ConnectionState::Reconnecting { attempt, delay, reason },
                });
            }
        }
    }

    fn end_connection(&mut self, code: CloseCode) {
        if let Connection::Open(connection) = std::mem::replace(&mut self.connection, Connection::Idle) {
            tokio::spawn(connection.session.close(code));
        }
        self.registry.interrupt();
        self.sign_in.interrupt();
    }

    fn send(&mut self, event: &ProtocolEvent<'_>) {
        self.send_text(event.encode());
    }

    /// Queues a frame. If the server does not read, the connection is dropped.
    fn send_text(&mut self, text: String) {
        let Connection::Open(connection) = &mut self.connection else { return };
        connection.session.send_text(text);
        if connection.session.unsent() > MAX_UNSENT + 4 * self.registry.len() {
            self.lost(DisconnectReason::NotReading);
        }
    }
}

/// Waits for the time, if there is one.
async fn due(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
