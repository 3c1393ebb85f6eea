use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pusher_protocol::UserData;

use super::queue::{Item, Receiver};
use super::{Client, Event};
use crate::Error;

/// A signed-in user: a stream of events sent to the user, and of watchlist events. While any handle
/// exists, each new connection signs in again.
///
/// The queue is bounded like that of a [`Subscription`](crate::Subscription). A handle keeps its
/// client alive. The protocol has no sign-out: after the last handle is dropped, the connection
/// remains the user's until it ends, but nothing is received. Servers reject another user on the
/// same connection, so [`disconnect`](crate::Client::disconnect) before another user signs in.
#[derive(Debug)]
pub struct User {
    pub(super) events: Receiver<UserEvent>,
    /// Keeps the actor alive.
    pub(super) _client: Client,
}

/// An event of a [`User`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserEvent {
    /// The connection is signed in: events sent to the user arrive from here on. Sent at first and
    /// after each interruption.
    SignedIn(UserData),
    /// An event was sent to the user.
    Event(Event),
    /// These users of the watchlist came online. After each sign-in: all that are online.
    Online(Vec<String>),
    /// These users of the watchlist went offline.
    Offline(Vec<String>),
    /// The connection was lost or closed. The client signs in again on the next one.
    Interrupted,
    /// The sign-in or the connection was permanently refused. Nothing follows.
    Refused(Error),
    /// This many events were dropped because the stream was not read.
    Lagged(u64),
}

impl User {
    /// Returns the next event, or `None` once the sign-in or the client has ended.
    pub async fn next(&mut self) -> Option<UserEvent> {
        std::future::poll_fn(|cx| self.events.poll_recv(cx)).await
    }
}

impl Stream for User {
    type Item = UserEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_recv(cx)
    }
}

impl Item for UserEvent {
    fn lagged(count: u64) -> Self {
        Self::Lagged(count)
    }

    fn lag(&mut self) -> Option<&mut u64> {
        match self {
            Self::Lagged(count) => Some(count),
            _ => None,
        }
    }

    fn is_notice(&self) -> bool {
        matches!(self, Self::SignedIn(_) | Self::Interrupted | Self::Refused(_))
    }
}
