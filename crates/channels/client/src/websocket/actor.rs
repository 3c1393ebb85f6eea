mod signing_in;
mod subscribing;
mod triggering;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use pusher_protocol::{CloseCode, Frame, ProtocolEvent, names};
use rand::rngs::StdRng;
use tokio::sync::{Notify, Semaphore, broadcast, mpsc, watch};
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};

use super::ConnectionState;
use super::binding::Bindings;
use super::command::Command;
use super::inbound::Inbound;
use super::link::{Answer, Connection, Link, LinkEvent};
use super::loss::Loss;
use super::rate::Rate;
use super::reconnect::{Attempts, Next};
use super::registry::{Delivered, Phase, Registry};
use super::settings::Settings;
use super::sign_in::{SignIn, Stage};
use crate::{Error, ErrorKind};

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
    bindings: Bindings,
    sign_in: SignIn,
    client_events: Rate,
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
            client_events: Rate::new(settings.limits.client_events),
            settings,
            commands,
            dropped,
            state,
            errors,
            rng,
            registry: Registry::default(),
            bindings: Bindings::default(),
            sign_in: SignIn::default(),
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
            // A burst is read in one go otherwise, and overruns subscribers that have to wait for this thread.
            consume_budget().await;
        }
        if let Link::Up(connection) = std::mem::replace(&mut self.link, Link::Idle) {
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
            Command::PingNow(done) => {
                self.ping_now();
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
            Command::Unsubscribe(channel, done) => {
                self.registry.leave(&channel);
                self.unsubscribe_unwanted();
                let _ = done.send(());
            }
            Command::Bind(wanted, queue) => self.bindings.add(wanted, queue),
            Command::SignIn(handle) => self.join_sign_in(handle),
            Command::Trigger(event, done) => {
                let _ = done.send(self.trigger(&event));
            }
        }
    }

    /// The network may have changed.
    fn ping_now(&mut self) {
        match &mut self.link {
            Link::Up(connection) => connection.session.ping_now(),
            Link::Waiting(_) => self.connect(),
            Link::Idle | Link::Dialing(_) => {}
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
            LinkEvent::Answered(Answer::Channel(ticket, channel, answer)) => {
                self.authorized(ticket, &channel, answer);
            }
            LinkEvent::Answered(Answer::Key(ticket, channel, answer)) => {
                self.key_renewed(ticket, &channel, answer);
            }
            LinkEvent::Answered(Answer::User(ticket, answer)) => self.authenticated(ticket, answer),
        }
    }

    fn established(&mut self, connection: Box<Connection>) {
        tracing::debug!(socket.id = %connection.socket_id, "connected");
        self.state.send_replace(ConnectionState::Connected { socket_id: connection.socket_id.clone() });
        self.link = Link::Up(connection);
        self.sign_in();
        for channel in self.registry.names() {
            self.begin(&channel);
        }
    }

    fn text(&mut self, text: &str) {
        let inbound = Inbound::read(text);
        if let (Link::Up(connection), false) = (&mut self.link, matches!(inbound, Inbound::Error(..))) {
            connection.announced = None;
        }
        match inbound {
            Inbound::Ping => self.send(&ProtocolEvent::Pong),
            Inbound::Event(channel, frame) => self.event(&channel, frame),
            Inbound::Subscribed(channel, members) => self.subscribed(&channel, members),
            Inbound::MemberAdded(channel, member) => self.registry.member_added(&channel, member),
            Inbound::MemberRemoved(channel, member) => self.registry.member_removed(&channel, &member),
            Inbound::Count(channel, count) => self.registry.count(&channel, count),
            Inbound::CacheMiss(channel) => self.registry.cache_miss(&channel),
            Inbound::SignedIn(user) => self.signed_in(user),
            Inbound::Watchlist(changes) => self.sign_in.watchlist(changes),
            Inbound::Refused(channel, error) => self.refused(&channel, error),
            Inbound::Error(Some(channel), error)
                if self.registry.phase(&channel) == Some(Phase::Requested) =>
            {
                self.refused(&channel, error);
            }
            Inbound::Error(_, error) => self.problem(error),
            Inbound::Nothing => {}
            Inbound::Malformed => tracing::debug!(bytes = text.len(), "ignored a message that is no frame"),
        }
    }

    fn event(&mut self, channel: &str, frame: Frame<'_>) {
        if channel.starts_with(names::SERVER_TO_USER_PREFIX) {
            if let Some(event) = self.sign_in.deliver(channel, frame) {
                self.bindings.event(&event);
            }
            return;
        }
        match self.registry.deliver(channel, frame) {
            Delivered::Event(event) => self.bindings.event(&event),
            Delivered::KeyWanted => self.renew_key(channel),
            Delivered::Nothing => {}
        }
    }

    /// An error of the connection. The close that it may announce is acted on when it comes; codes from 4300 announce none.
    fn problem(&mut self, error: Error) {
        tracing::debug!(code = error.code(), "the server reported an error");
        if let (Link::Up(connection), Some(code @ ..4300)) = (&mut self.link, error.code()) {
            connection.announced = Some(Loss::Closed(CloseCode(code), error.to_string()));
        }
        if self.sign_in.stage == Stage::Requested {
            self.sign_in.complaint = Some(error.clone());
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
        let loss = match loss {
            // What could not be authorized in time may be next time: an auth endpoint that is down for half a minute is no refusal.
            Loss::Closed(CloseCode::UNAUTHORIZED, _)
                if !self.registry.has_subscribed() && self.sign_in.user().is_none() =>
            {
                Loss::Broken("no channel was authorized in time")
            }
            loss => loss,
        };
        self.registry.interrupt();
        self.sign_in.interrupt();
        self.offline_since = Instant::now();
        self.retry(&loss, held);
    }

    /// Decides what follows a failed attempt or a lost connection.
    fn retry(&mut self, loss: &Loss, held: Duration) {
        match self.attempts.next(&self.settings.limits.reconnect, loss, held, &mut self.rng) {
            Next::Stop => {
                tracing::warn!(reason = %loss, "the server refused the connection");
                let code = loss.code().map(|code| code.0);
                let reason = Error::new(ErrorKind::Refused, loss.to_string()).with_code(code);
                self.link = Link::Idle;
                self.registry.refuse_all(&reason);
                self.sign_in.refuse(&reason);
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
        self.sign_in.interrupt();
    }

    fn send(&mut self, frame: &ProtocolEvent<'_>) {
        self.send_text(frame.encode());
    }

    /// Queues a frame. A server that takes none any more is given up.
    fn send_text(&mut self, text: String) {
        let Link::Up(connection) = &mut self.link else { return };
        connection.session.send_text(text);
        if connection.session.unsent() > UNSENT + 4 * self.registry.len() {
            self.lost(Loss::NotReading);
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
