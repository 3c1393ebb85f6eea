use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt;
use pusher_protocol::SocketId;
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use crate::Error;

/// The state of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// The client was built without connecting.
    Initialized,
    /// The first attempt is under way.
    Connecting,
    /// The connection is established.
    Connected {
        /// The connection's socket id; each connection has a new one.
        socket_id: SocketId,
    },
    /// There has been no connection for
    /// [some time](crate::ClientBuilder::unavailable_after). The client keeps trying.
    #[non_exhaustive]
    Unavailable {
        /// Why the last attempt failed.
        reason: Error,
    },
    /// The connection was lost, or an attempt failed. The client tries again.
    #[non_exhaustive]
    Reconnecting {
        /// The number of the next attempt, from 1. It starts again once a connection has lasted.
        attempt: u32,
        /// The wait before that attempt, from the beginning of this state.
        delay: Duration,
        /// Why the connection was lost or the attempt failed.
        reason: Error,
    },
    /// [`disconnect`](crate::Client::disconnect) was called.
    Disconnected,
    /// The server permanently refused the connection. Only [`connect`](crate::Client::connect)
    /// tries again.
    Failed {
        /// Why the server refused; [`Error::code`] is the close code.
        reason: Error,
    },
}

impl ConnectionState {
    /// Returns why there is no connection, if an attempt failed or the connection was lost. Its
    /// `source` is the cause, such as a certificate that is not trusted.
    pub fn reason(&self) -> Option<&Error> {
        match self {
            Self::Unavailable { reason } | Self::Reconnecting { reason, .. } | Self::Failed { reason } => {
                Some(reason)
            }
            Self::Initialized | Self::Connecting | Self::Connected { .. } | Self::Disconnected => None,
        }
    }
}

/// A stream of the connection's state: the current one, then each change. Changes in quick
/// succession may appear as one. The stream ends with the client, and does not keep it alive.
#[derive(Debug)]
pub struct States(pub(crate) WatchStream<ConnectionState>);

/// A stream of errors that end nothing: why attempts to connect fail, once for each change of the
/// reason; error events of the server about the connection or without a channel (as pusher.com
/// sends them); and authorizations that failed and are retried. If the stream is not read, older
/// errors are skipped. It ends with the client, and does not keep it alive.
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
