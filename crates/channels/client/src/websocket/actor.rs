use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use pusher_protocol::{ChannelName, CloseCode, Outgoing};
use rand::rngs::StdRng;
use tokio::sync::{Notify, Semaphore, broadcast, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::ConnectionState;
use super::backoff::{Attempts, Next};
use super::command::Command;
use super::inbound::Inbound;
use super::link::{Authorized, Connection, Link, LinkEvent};
use super::loss::Loss;
use super::registry::{Phase, Registry};
use super::settings::Settings;
use crate::{AuthorizationError, AuthorizationErrorKind, AuthorizationRequest, Error, ErrorKind};

/// Frames that may wait for a server which does not read, besides four for each channel.
const UNSENT: usize = 1024;
/// Authorizers asked at the same time, so that many channels at once do not overrun the app's endpoint.
const AUTHORIZATIONS: usize = 16;
/// WebSocket's own code for an end that is meant (RFC 6455, 7.4.1).
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
    link: Link,
    attempts: Attempts,
    authorizing: Arc<Semaphore>,
    /// Since when there is no connection, though one is wanted.
    offline_since: Instant,
}

enum Turn {
    Command(Command),
    Dropped,
    Timer,
    Link(LinkEvent),
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
            settings,
            commands,
            dropped,
            state,
            errors,
            rng,
            registry: Registry::default(),
            link: Link::Idle,
            attempts: Attempts::default(),
            authorizing: Arc::new(Semaphore::new(AUTHORIZATIONS)),
            offline_since: Instant::now(),
        }
    }

    /// Runs until the last handle is dropped.
    pub(crate) async fn run(mut self) {
        while let Some(turn) = self.turn().await {
            match turn {
                Turn::Command(command) => self.command(command),
                Turn::Dropped => self.unsubscribe_unwanted(),
                Turn::Timer => self.timer(),
                Turn::Link(event) => self.link_event(event),
            }
        }
        if let Link::Up(connection) = std::mem::replace(&mut self.link, Link::Idle) {
            connection.session.close(NORMAL).await;
        }
    }

    async fn turn(&mut self) -> Option<Turn> {
        let timer = self.registry.next_timer();
        tokio::select! {
            biased;
            command = self.commands.recv() => command.map(Turn::Command),
            () = self.dropped.notified() => Some(Turn::Dropped),
            () = sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() => Some(Turn::Timer),
            event = self.link.next() => Some(Turn::Link(event)),
        }
    }

    fn command(&mut self, command: Command) {
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
            Command::Subscribe(channel, subscriber) => {
                let is_new = self.registry.join(channel.clone(), subscriber);
                if let ConnectionState::Failed { reason } = &*self.state.borrow() {
                    self.registry.refuse(&channel, reason);
                } else if is_new {
                    self.begin(&channel);
                }
            }
        }
    }

    pub(crate) fn connect(&mut self) {
        match self.link {
            Link::Idle => {
                self.attempts = Attempts::default();
                self.offline_since = Instant::now();
                self.state.send_replace(ConnectionState::Connecting);
            }
            Link::Waiting(_) => {}
            Link::Dialing(_) | Link::Up(_) => return,
        }
        self.link = Link::dialing(self.settings.clone());
    }

    fn link_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Due => self.link = Link::dialing(self.settings.clone()),
            LinkEvent::Dialed(Ok(connection)) => self.established(connection),
            LinkEvent::Dialed(Err(loss)) => self.retry(&loss, Duration::ZERO),
            LinkEvent::Text(text) => self.text(&text),
            LinkEvent::Lost(loss) => self.lost(loss),
            LinkEvent::Authorized(answer) => self.authorized(answer),
        }
    }

    fn established(&mut self, connection: Box<Connection>) {
        tracing::debug!(socket.id = %connection.socket_id, "connected");
        self.state.send_replace(ConnectionState::Connected { socket_id: connection.socket_id.clone() });
        self.link = Link::Up(connection);
        for channel in self.registry.names() {
            self.begin(&channel);
        }
    }

    fn text(&mut self, text: &str) {
        let inbound = Inbound::read(text);
        if let (Link::Up(connection), false) = (&mut self.link, matches!(inbound, Inbound::Problem(..))) {
            connection.announced = None;
        }
        match inbound {
            Inbound::Ping => self.send(&Outgoing::Pong),
            Inbound::Event(channel, frame) => self.registry.deliver(&channel, frame),
            Inbound::Subscribed(channel) => self.subscribed(&channel),
            Inbound::Refused(channel, error) => self.refused(&channel, error),
            Inbound::Problem(Some(channel), error)
                if self.registry.phase(&channel) == Some(Phase::Requested) =>
            {
                self.refused(&channel, error);
            }
            Inbound::Problem(_, error) => self.problem(error),
            Inbound::Nothing => {}
            Inbound::Malformed => tracing::debug!(bytes = text.len(), "ignored a message that is no frame"),
        }
    }

    /// An error of the connection. The close that it may announce is acted on when it comes.
    fn problem(&mut self, error: Error) {
        tracing::debug!(code = error.code(), "the server reported an error");
        if let (Link::Up(connection), Some(code)) = (&mut self.link, error.code()) {
            connection.announced = Some(Loss::Closed(CloseCode(code), error.to_string()));
        }
        let _ = self.errors.send(error);
    }

    fn lost(&mut self, loss: Loss) {
        let Link::Up(connection) = std::mem::replace(&mut self.link, Link::Idle) else { return };
        let connection = *connection;
        let held = connection.since.elapsed();
        let loss = match connection.announced {
            Some(announced) if !loss.is_explained() => announced,
            _ => loss,
        };
        match loss {
            Loss::Closed(..) => drop(tokio::spawn(connection.session.close(NORMAL))),
            Loss::TooBig => drop(tokio::spawn(connection.session.close(CloseCode::TOO_BIG))),
            Loss::Silent | Loss::NotReading | Loss::Broken(_) => {}
        }
        self.registry.interrupt();
        self.offline_since = Instant::now();
        self.retry(&loss, held);
    }

    /// Decides what follows a failed attempt or a lost connection.
    fn retry(&mut self, loss: &Loss, held: Duration) {
        match self.attempts.next(&self.settings.limits.backoff, loss, held, &mut self.rng) {
            Next::Stop => {
                tracing::warn!(reason = %loss, "the server refused the connection");
                let code = loss.code().map(|code| code.0);
                let reason = Error::new(ErrorKind::Refused, loss.to_string()).with_code(code);
                self.link = Link::Idle;
                self.registry.refuse_all(&reason);
                self.state.send_replace(ConnectionState::Failed { reason });
            }
            Next::Retry(attempt, delay) => {
                tracing::debug!(reason = %loss, attempt, ?delay, "no connection");
                self.link = Link::waiting(delay);
                let lasting = self.offline_since.elapsed() >= self.settings.limits.unavailable_after;
                self.state.send_replace(match lasting {
                    true => ConnectionState::Unavailable,
                    false => ConnectionState::Reconnecting { attempt, delay },
                });
            }
        }
    }

    fn end_connection(&mut self, code: CloseCode) {
        if let Link::Up(connection) = std::mem::replace(&mut self.link, Link::Idle) {
            tokio::spawn(connection.session.close(code));
        }
        self.registry.interrupt();
    }

    /// Queues a frame. A server that takes none any more is given up.
    fn send(&mut self, frame: &Outgoing<'_>) {
        let Link::Up(connection) = &mut self.link else { return };
        connection.session.send(frame);
        if connection.session.unsent() > UNSENT + 4 * self.registry.len() {
            self.lost(Loss::NotReading);
        }
    }
}

/// Subscriptions.
impl Actor {
    /// Starts a subscription, if there is a connection.
    fn begin(&mut self, channel: &ChannelName) {
        if !channel.kind().needs_authorization() {
            return self.request(channel, "", None);
        }
        let (Link::Up(connection), Some(authorizer)) = (&mut self.link, self.settings.authorizer.clone())
        else {
            return;
        };
        let request = AuthorizationRequest::new(connection.socket_id.clone(), channel.clone());
        let limit = self.settings.limits.authorization_timeout;
        let turn = self.authorizing.clone().acquire_owned();
        self.registry.set(channel, Phase::Authorizing, None);
        connection.authorizations.spawn(async move {
            let _turn = turn.await;
            let asking = AssertUnwindSafe(authorizer.authorize(&request)).catch_unwind();
            let answer = match timeout(limit, asking).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_panic)) => Err(AuthorizationError::permanent("the authorizer panicked")),
                Err(_elapsed) => Err(AuthorizationError::retryable("the authorizer took too long")),
            };
            (request.channel, answer)
        });
    }

    fn request(&mut self, channel: &ChannelName, auth: &str, channel_data: Option<&str>) {
        if !matches!(self.link, Link::Up(_)) {
            return;
        }
        let deadline = Instant::now() + self.settings.limits.subscribe_timeout;
        self.registry.set(channel, Phase::Requested, Some(deadline));
        self.send(&Outgoing::Subscribe { channel, auth, channel_data });
    }

    fn authorized(&mut self, (channel, answer): Authorized) {
        if self.registry.phase(channel.as_str()) != Some(Phase::Authorizing) {
            return;
        }
        match answer {
            Ok(authorization) => {
                self.request(&channel, &authorization.auth, authorization.channel_data.as_deref());
            }
            Err(error) if error.is_retryable() => {
                tracing::debug!(%channel, %error, "could not authorize");
                let message = format!("{channel} could not be authorized yet: {error}");
                let _ = self.errors.send(Error::new(ErrorKind::Server, message));
                self.again_later(&channel);
            }
            Err(error) => {
                let kind = match error.kind() {
                    AuthorizationErrorKind::Unauthorized => ErrorKind::Unauthorized,
                    AuthorizationErrorKind::Forbidden => ErrorKind::Forbidden,
                    AuthorizationErrorKind::Retryable | AuthorizationErrorKind::Permanent => {
                        ErrorKind::Refused
                    }
                };
                self.registry.refuse(&channel, &Error::new(kind, error.to_string()));
            }
        }
    }

    fn subscribed(&mut self, channel: &str) {
        let Ok(channel) = ChannelName::new(channel) else { return };
        if !self.registry.confirm(&channel) {
            self.send(&Outgoing::Unsubscribe { channel: &channel });
        }
    }

    fn refused(&mut self, channel: &str, error: Error) {
        let Ok(channel) = ChannelName::new(channel) else { return };
        if error.is_retryable() && self.registry.is_wanted(&channel) {
            self.again_later(&channel);
        } else {
            self.registry.refuse(&channel, &error);
        }
    }

    fn again_later(&mut self, channel: &ChannelName) {
        let failures = self.registry.count_failure(channel);
        let delay = self.settings.limits.backoff.delay(failures, &mut self.rng);
        self.registry.set(channel, Phase::Waiting, Some(Instant::now() + delay));
    }

    fn timer(&mut self) {
        let now = Instant::now();
        while let Some(channel) = self.registry.take_due(now) {
            match self.registry.phase(channel.as_str()) {
                Some(Phase::Waiting) => self.begin(&channel),
                Some(Phase::Requested) if self.registry.is_wanted(&channel) => {
                    tracing::debug!(%channel, "the server did not confirm the subscription in time");
                    self.again_later(&channel);
                }
                Some(Phase::Requested) => {
                    self.registry.remove(&channel);
                    self.send(&Outgoing::Unsubscribe { channel: &channel });
                }
                _ => {}
            }
        }
    }

    fn unsubscribe_unwanted(&mut self) {
        for channel in self.registry.sweep() {
            self.send(&Outgoing::Unsubscribe { channel: &channel });
        }
    }
}
