use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use pusher_protocol::{ChannelName, SocketId};
use pusher_signer::{ChannelAuthorization, UserAuthentication};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep};
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

/// An answer of the app's authorizer or user authenticator.
pub(crate) enum Answer {
    /// For a subscription.
    Channel(ChannelName, Result<ChannelAuthorization, AuthorizationError>),
    /// For the key of an encrypted channel that is subscribed already.
    Key(ChannelName, Result<ChannelAuthorization, AuthorizationError>),
    /// For the sign-in.
    User(Result<UserAuthentication, AuthorizationError>),
}

/// A connection with what belongs to it alone. The answers are for its socket id: they end with it, so that a late
/// one cannot reach the next connection.
pub(crate) struct Connection {
    pub(crate) session: Session,
    pub(crate) socket_id: SocketId,
    pub(crate) since: Instant,
    pub(crate) answers: JoinSet<Answer>,
    /// Presence channels whose authorizations name no user: that of the sign-in counts.
    pub(crate) awaiting_user: Vec<(ChannelName, ChannelAuthorization)>,
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
