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
use super::disconnect_reason::DisconnectReason;
use super::keep_alive::{Due, KeepAlive};
use super::server_message::sanitize;
use crate::{Error, ErrorKind};

/// The time limit of a closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) type Socket = WebSocketStream<BoxTransport>;

/// An established WebSocket connection: reads messages, writes queued ones without blocking reads,
/// and sends pings.
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

    /// Queues an event; [`next`](Self::next) writes it.
    pub(crate) fn send(&mut self, event: &ProtocolEvent<'_>) {
        self.send_text(event.encode());
    }

    /// Queues the text of a frame.
    pub(crate) fn send_text(&mut self, text: String) {
        self.unsent.push_back(Message::text(text));
    }

    /// Sends a ping now, unless one is unanswered.
    pub(crate) fn ping_now(&mut self) {
        if self.keep_alive.start_ping() {
            self.send(&ProtocolEvent::Ping);
        }
    }

    /// Returns the number of frames that are not written yet.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// Returns the next text message. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Utf8Bytes, DisconnectReason> {
        poll_fn(|cx| self.poll_text(cx)).await
    }

    fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Result<Utf8Bytes, DisconnectReason>> {
        loop {
            let written = self.poll_write(cx);
            if let Poll::Ready(message) = Pin::new(&mut self.socket).poll_next(cx) {
                self.keep_alive.received();
                match message {
                    Some(Ok(Message::Text(text))) => return Poll::Ready(Ok(text)),
                    Some(Ok(Message::Close(frame))) => return Poll::Ready(Err(closed(frame))),
                    Some(Ok(Message::Binary(_))) => tracing::debug!("ignored a binary message"),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                    None => {
                        let reason = DisconnectReason::failed("the connection ended without a close code");
                        return Poll::Ready(Err(reason));
                    }
                }
                continue;
            }
            // Checked after reading, because messages that arrived before the error count.
            if let Poll::Ready(Err(error)) = written {
                return Poll::Ready(Err(broken(error)));
            }
            match std::task::ready!(self.keep_alive.poll(cx)) {
                Due::Ping => self.send(&ProtocolEvent::Ping),
                Due::Timeout => return Poll::Ready(Err(DisconnectReason::PongTimeout)),
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

    /// Closes the connection with a closing handshake, within a second.
    pub(crate) async fn close(mut self, code: CloseCode) {
        let frame = CloseFrame { code: code.0.into(), reason: Utf8Bytes::default() };
        let closing = async {
            // Fails if the server closed first; the flush then answers its close.
            let _ = self.socket.close(Some(frame)).await;
            let _ = self.socket.flush().await;
            while let Some(Ok(_)) = self.socket.next().await {}
        };
        let _ = timeout(CLOSE_TIMEOUT, closing).await;
    }
}

/// Returns the reason for a close frame; without one, the code is 1005 (RFC 6455, 7.1.5).
pub(crate) fn closed(frame: Option<CloseFrame>) -> DisconnectReason {
    match frame {
        Some(frame) => DisconnectReason::Closed(CloseCode(frame.code.into()), sanitize(&frame.reason)),
        None => DisconnectReason::Closed(CloseCode(1005), String::new()),
    }
}

/// Returns the reason for an error of the WebSocket.
pub(crate) fn broken(error: tungstenite::Error) -> DisconnectReason {
    let message = match &error {
        tungstenite::Error::Capacity(_) => return DisconnectReason::MessageTooLarge,
        tungstenite::Error::Http(response) => return rejected_upgrade(response.status().as_u16()),
        tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_) => {
            "the server violated the WebSocket protocol"
        }
        _ => "the connection broke",
    };
    DisconnectReason::Failed(Error::new(ErrorKind::Network, message).with_cause(error))
}

fn rejected_upgrade(status: u16) -> DisconnectReason {
    let message = match status {
        401 | 403 => format!("the server refused the upgrade to WebSocket ({status})"),
        404 => "the server has no WebSocket at this path (404); check host, port and path".to_owned(),
        _ => format!("the server answered the upgrade to WebSocket with {status}"),
    };
    DisconnectReason::Failed(Error::new(ErrorKind::Upgrade, message).with_code(Some(status)))
}
