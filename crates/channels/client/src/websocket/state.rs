use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt;
use pusher_protocol::SocketId;
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use crate::Error;

/// The state of the connection. Changes that follow each other quickly may be seen as one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Never asked to connect.
    Initialized,
    /// The first attempt is under way.
    Connecting,
    /// Connected.
    Connected {
        /// The connection's id; each connection has another.
        socket_id: SocketId,
    },
    /// There was no connection for a while; attempts go on.
    Unavailable,
    /// The connection was lost, or an attempt failed: the next comes by itself.
    Reconnecting {
        /// Which attempt comes next, from 1; starts again once a connection has held.
        attempt: u32,
        /// How long it waits, counted from when this state began.
        delay: Duration,
    },
    /// [`disconnect`](crate::Client::disconnect) was called.
    Disconnected,
    /// The server refused for good. Only [`connect`](crate::Client::connect) tries again.
    Failed {
        /// Why; [`Error::code`] has the close code.
        reason: Error,
    },
}

/// The connection's state, now and whenever it changes. Ends when the client has ended; does not keep it alive.
#[derive(Debug)]
pub struct States(pub(crate) WatchStream<ConnectionState>);

/// Errors that end nothing: codes that the server sends without a close, refusals that name no channel (as pusher.com sends
/// them), authorizations that failed and are tried again. Errors are skipped when this stream is not read. It ends when the
/// client has ended; it does not keep it alive.
#[derive(Debug)]
pub struct Errors(pub(crate) BroadcastStream<Error>);

impl Stream for States {
    type Item = ConnectionState;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl Stream for Errors {
    type Item = Error;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::task::ready!(self.0.poll_next_unpin(cx)) {
                Some(Ok(error)) => return Poll::Ready(Some(error)),
                Some(Err(_skipped)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}
