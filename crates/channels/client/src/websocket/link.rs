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

use super::dial::dial;
use super::loss::Loss;
use super::session::Session;
use super::settings::Settings;
use crate::AuthorizationError;

/// What there is of a connection.
pub(crate) enum Link {
    /// None, and none wanted.
    Idle,
    /// None until the time has come.
    Waiting(Pin<Box<Sleep>>),
    /// An attempt.
    Dialing(Pin<Box<dyn Future<Output = Dialed> + Send>>),
    /// One that stands.
    Up(Box<Connection>),
}

type Dialed = Result<Box<Connection>, Loss>;

/// Which question an answer is to, of those of one connection. Who asks again keeps the later ticket, and does not know the
/// earlier answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// An answer of the app's authorizer or user authenticator.
pub(crate) enum Answer {
    /// For a subscription.
    Channel(Ticket, ChannelName, Authorized),
    /// For the key of an encrypted channel that is subscribed already.
    Key(Ticket, ChannelName, Authorized),
    /// For the sign-in.
    User(Ticket, Result<UserAuthentication, AuthorizationError>),
}

pub(crate) type Authorized = Result<ChannelAuthorization, AuthorizationError>;

/// A connection with what belongs to it alone. The answers are for its socket id: they end with it, so that a late
/// one cannot reach the next connection.
pub(crate) struct Connection {
    pub(crate) session: Session,
    pub(crate) socket_id: SocketId,
    pub(crate) since: Instant,
    pub(crate) answers: JoinSet<Answer>,
    /// The last question's.
    ticket: Ticket,
    /// Presence channels whose authorizations name no user: that of the sign-in counts.
    pub(crate) awaiting_user: Vec<(Ticket, ChannelName, ChannelAuthorization)>,
    /// A close that `pusher:error` announced.
    pub(crate) announced: Option<Loss>,
}

/// What came of it.
pub(crate) enum LinkEvent {
    /// The wait is over.
    Due,
    /// The attempt ended.
    Dialed(Dialed),
    /// A text came.
    Text(Utf8Bytes),
    /// The connection is lost.
    Lost(Loss),
    /// The app answered.
    Answered(Answer),
}

impl Link {
    pub(crate) fn waiting(delay: Duration) -> Self {
        Self::Waiting(Box::pin(sleep(delay)))
    }

    pub(crate) fn dialing(settings: Settings) -> Self {
        Self::Dialing(Box::pin(async move {
            let (session, socket_id) = dial(settings).await?;
            Ok(Box::new(Connection {
                session,
                socket_id,
                since: Instant::now(),
                answers: JoinSet::new(),
                ticket: Ticket(0),
                awaiting_user: Vec::new(),
                announced: None,
            }))
        }))
    }

    /// The next event. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> LinkEvent {
        match self {
            Self::Idle => pending().await,
            Self::Waiting(wait) => {
                wait.as_mut().await;
                LinkEvent::Due
            }
            Self::Dialing(attempt) => LinkEvent::Dialed(attempt.as_mut().await),
            Self::Up(connection) => connection.next().await,
        }
    }
}

impl Connection {
    /// Another question's.
    pub(crate) fn ticket(&mut self) -> Ticket {
        self.ticket.0 += 1;
        self.ticket
    }

    async fn next(&mut self) -> LinkEvent {
        tokio::select! {
            biased;
            Some(Ok(answer)) = self.answers.join_next() => LinkEvent::Answered(answer),
            text = self.session.next() => match text {
                Ok(text) => LinkEvent::Text(text),
                Err(loss) => LinkEvent::Lost(loss),
            },
        }
    }
}

/// The app's answer within a time. A panic of `whom` is a refusal; the question is a block that calls the app, so that a panic
/// before there is a future is one too.
pub(crate) async fn answer_of<T>(
    whom: &str,
    limit: Duration,
    question: impl Future<Output = Result<T, AuthorizationError>>,
) -> Result<T, AuthorizationError> {
    match timeout(limit, AssertUnwindSafe(question).catch_unwind()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err(AuthorizationError::permanent(format!("the {whom} panicked"))),
        Err(_elapsed) => Err(AuthorizationError::retryable(format!("the {whom} took too long"))),
    }
}
