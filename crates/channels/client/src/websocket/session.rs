use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::{Sink, SinkExt, StreamExt};
use pusher_protocol::{CloseCode, ProtocolEvent};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

use super::BoxTransport;
use super::inbound::words;
use super::keep_alive::{Due, KeepAlive};
use super::loss::Loss;

/// How long a closing handshake may take.
const CLOSING: Duration = Duration::from_secs(1);

pub(crate) type Socket = WebSocketStream<BoxTransport>;

/// One connection, from its handshake to its loss: reads texts, writes what is queued without ever waiting for that, and
/// keeps it alive.
pub(crate) struct Session {
    socket: Socket,
    unsent: VecDeque<Message>,
    unflushed: bool,
    keep_alive: KeepAlive,
}

impl Session {
    pub(crate) fn new(socket: Socket, activity: Duration, pong: Duration) -> Self {
        let keep_alive = KeepAlive::new(activity, pong);
        Self { socket, unsent: VecDeque::new(), unflushed: false, keep_alive }
    }

    /// Queues a frame; [`next`](Self::next) writes it.
    pub(crate) fn send(&mut self, frame: &ProtocolEvent<'_>) {
        self.send_text(frame.encode());
    }

    /// Queues a frame's text.
    pub(crate) fn send_text(&mut self, text: String) {
        self.unsent.push_back(Message::text(text));
    }

    /// Asks for a sign of life now.
    pub(crate) fn ping_now(&mut self) {
        if self.keep_alive.ask() {
            self.send(&ProtocolEvent::Ping);
        }
    }

    /// How many frames the server has not taken yet.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// The next text. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> Result<Utf8Bytes, Loss> {
        poll_fn(|cx| self.poll_text(cx)).await
    }

    fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Result<Utf8Bytes, Loss>> {
        loop {
            let written = self.poll_write(cx);
            if let Poll::Ready(message) = Pin::new(&mut self.socket).poll_next(cx) {
                self.keep_alive.heard();
                match message {
                    Some(Ok(Message::Text(text))) => return Poll::Ready(Ok(text)),
                    Some(Ok(Message::Close(frame))) => return Poll::Ready(Err(closed(frame))),
                    Some(Ok(Message::Binary(_))) => tracing::debug!("ignored a binary message"),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Poll::Ready(Err(broken(&error))),
                    None => return Poll::Ready(Err(Loss::Broken("the connection ended"))),
                }
                continue;
            }
            // Only now: what the server said before it closed counts more.
            if let Poll::Ready(Err(error)) = written {
                return Poll::Ready(Err(broken(&error)));
            }
            match std::task::ready!(self.keep_alive.poll(cx)) {
                Due::Ping => self.send(&ProtocolEvent::Ping),
                Due::Gone => return Poll::Ready(Err(Loss::Silent)),
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), tungstenite::Error>> {
        let mut socket = Pin::new(&mut self.socket);
        while !self.unsent.is_empty() {
            std::task::ready!(socket.as_mut().poll_ready(cx))?;
            if let Some(message) = self.unsent.pop_front() {
                self.unflushed = true;
                socket.as_mut().start_send(message)?;
            }
        }
        if self.unflushed {
            std::task::ready!(socket.as_mut().poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Ends the connection politely, within a second.
    pub(crate) async fn close(mut self, code: CloseCode) {
        let frame = CloseFrame { code: code.0.into(), reason: Utf8Bytes::default() };
        let closing = async {
            // Fails when the server has closed first; its close is answered by the flush.
            let _ = self.socket.close(Some(frame)).await;
            let _ = self.socket.flush().await;
            while let Some(Ok(_)) = self.socket.next().await {}
        };
        let _ = timeout(CLOSING, closing).await;
    }
}

/// The loss that a close frame means; without one, it is 1005.
pub(crate) fn closed(frame: Option<CloseFrame>) -> Loss {
    match frame {
        Some(frame) => Loss::Closed(CloseCode(frame.code.into()), words(&frame.reason)),
        None => Loss::Closed(CloseCode(1005), String::new()),
    }
}

pub(crate) fn broken(error: &tungstenite::Error) -> Loss {
    match error {
        tungstenite::Error::Capacity(_) => Loss::TooBig,
        tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_) => {
            Loss::Broken("the server broke the WebSocket protocol")
        }
        tungstenite::Error::Http(_) => Loss::Broken("the server refused the upgrade to WebSocket"),
        _ => Loss::Broken("the connection broke"),
    }
}
