use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pusher_protocol::UserData;

use super::queue::{Item, Receiver};
use super::{Client, Event};
use crate::Error;

/// The signed-in user: a stream of what the app sends this user, and of the watchlist. While any of them is held, each new
/// connection signs in again.
///
/// Its queue is bounded as a [`Subscription`](crate::Subscription)'s is. It keeps its client alive. The protocol has no sign-out:
/// after the last is dropped, the connection is the user's until it ends, but nothing is received. Servers refuse another
/// user on it: [`disconnect`](crate::Client::disconnect) before another signs in.
#[derive(Debug)]
pub struct User {
    pub(super) events: Receiver<UserEvent>,
    /// Keeps the actor alive.
    pub(super) _client: Client,
}

/// What a [`User`] yields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserEvent {
    /// The connection is this user's, and what is sent to the user arrives from here on: at first, and after each
    /// interruption.
    SignedIn(UserData),
    /// An event was sent to the user.
    Event(Event),
    /// Users of the watchlist have connected. After each sign-in, all that are connected.
    Online(Vec<String>),
    /// Users of the watchlist have no connection any more.
    Offline(Vec<String>),
    /// The connection was lost, or closed. The next one signs in again.
    Interrupted,
    /// The sign-in was refused, or the connection was for good. Nothing follows.
    Refused(Error),
    /// So many events were dropped here because they were not read.
    Lagged(u64),
}

impl User {
    /// The next event; none once the sign-in or the client has ended.
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
