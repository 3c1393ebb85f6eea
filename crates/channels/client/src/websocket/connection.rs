use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use pusher_protocol::{ChannelName, SocketId};
use pusher_signer::{ChannelAuthorization, UserAuthentication};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::connect::connect;
use super::disconnect_reason::DisconnectReason;
use super::session::Session;
use super::settings::Settings;
use crate::AuthorizationError;

/// The connection in one of its phases.
pub(crate) enum Connection {
    /// There is no connection, and none is wanted.
    Idle,
    /// The next attempt waits for its time.
    Waiting(Pin<Box<Sleep>>),
    /// An attempt is under way.
    Connecting(Pin<Box<dyn Future<Output = ConnectResult> + Send>>),
    /// The connection is established.
    Open(Box<OpenConnection>),
}

type ConnectResult = Result<Box<OpenConnection>, DisconnectReason>;

/// Identifies a pending call of the authorizer. Answers with an older ticket are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// The answer of the authorizer or user authenticator.
pub(crate) enum AuthAnswer {
    /// For a subscription.
    Subscription(Ticket, ChannelName, AuthorizationResult),
    /// For the new key of an encrypted channel that is subscribed.
    Key(Ticket, ChannelName, AuthorizationResult),
    /// For the sign-in.
    SignIn(Ticket, Result<UserAuthentication, AuthorizationError>),
}

pub(crate) type AuthorizationResult = Result<ChannelAuthorization, AuthorizationError>;

/// An established connection and everything that ends with it. Pending calls of the authorizer end
/// with it too, because a signature is valid only for this socket id.
pub(crate) struct OpenConnection {
    pub(crate) session: Session,
    pub(crate) socket_id: SocketId,
    pub(crate) established_at: Instant,
    pub(crate) auth_calls: JoinSet<AuthAnswer>,
    last_ticket: Ticket,
    /// Subscriptions to presence channels whose authorization has no user, until the sign-in
    /// provides one.
    pub(crate) awaiting_user: Vec<(Ticket, ChannelName, ChannelAuthorization)>,
    /// The close that a `pusher:error` announced, and when.
    pub(crate) announced_close: Option<(Instant, DisconnectReason)>,
}

/// An event of the connection.
pub(crate) enum ConnectionEvent {
    /// The wait for the next attempt is over.
    RetryDue,
    /// An attempt ended.
    Attempted(ConnectResult),
    /// The server sent a text message.
    Message(Utf8Bytes),
    /// The connection was lost.
    Lost(DisconnectReason),
    /// The authorizer or user authenticator answered.
    AuthAnswered(AuthAnswer),
}

impl Connection {
    pub(crate) fn waiting(delay: Duration) -> Self {
        Self::Waiting(Box::pin(sleep(delay)))
    }

    pub(crate) fn connecting(settings: Settings) -> Self {
        Self::Connecting(Box::pin(async move {
            let (session, socket_id) = connect(settings).await?;
            Ok(Box::new(OpenConnection {
                session,
                socket_id,
                established_at: Instant::now(),
                auth_calls: JoinSet::new(),
                last_ticket: Ticket(0),
                awaiting_user: Vec::new(),
                announced_close: None,
            }))
        }))
    }

    /// Returns the next event. Cancel-safe.
    pub(crate) async fn next(&mut self) -> ConnectionEvent {
        match self {
            Self::Idle => pending().await,
            Self::Waiting(delay) => {
                delay.as_mut().await;
                ConnectionEvent::RetryDue
            }
            Self::Connecting(attempt) => ConnectionEvent::Attempted(attempt.as_mut().await),
            Self::Open(connection) => connection.next().await,
        }
    }
}

impl OpenConnection {
    /// Returns a new ticket.
    pub(crate) fn ticket(&mut self) -> Ticket {
        self.last_ticket.0 += 1;
        self.last_ticket
    }

    async fn next(&mut self) -> ConnectionEvent {
        tokio::select! {
            biased;
            Some(Ok(answer)) = self.auth_calls.join_next() => ConnectionEvent::AuthAnswered(answer),
            text = self.session.next() => match text {
                Ok(text) => ConnectionEvent::Message(text),
                Err(reason) => ConnectionEvent::Lost(reason),
            },
        }
    }
}

/// Calls the application within a time limit. A panic of the `callee` becomes a permanent error.
/// `call` is an async block around the method, so that a panic before its first await is caught
/// too.
pub(crate) async fn call_app<T>(
    callee: &str,
    limit: Duration,
    call: impl Future<Output = Result<T, AuthorizationError>>,
) -> Result<T, AuthorizationError> {
    match timeout(limit, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err(AuthorizationError::permanent(format!("the {callee} panicked"))),
        Err(_elapsed) => Err(AuthorizationError::retryable(format!("the {callee} did not answer in time"))),
    }
}
