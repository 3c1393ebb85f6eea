use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pusher_protocol::{CloseCode, ProtocolEvent};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::broker::Shared;
use crate::limits::Limits;
use crate::mailbox::{Ending, Mailbox, Next};
use crate::session::Session;
use crate::timers::{Due, LONGEST, Timers};

/// Serves one WebSocket until it has ended.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocketStream<S>,
    shared: &Arc<Shared>,
    welcome: Result<(), Ending>,
) {
    let end = match welcome.and_then(|()| Session::open(shared)) {
        Ok(session) => run(&mut socket, session, shared).await,
        Err(ending) => End::Ours(ending),
    };
    let _ = timeout(shared.limits.close_timeout, close(&mut socket, end)).await;
}

/// Who ended a connection.
enum End {
    Ours(Ending),
    /// The client: it closed, or is gone.
    Theirs,
    /// The client sent what cannot be read on.
    Broken(Ending),
}

/// Frames written in a row before the client is listened to again.
const BURST: usize = 64;

async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    mut session: Session,
    shared: &Shared,
) -> End {
    let limits = &shared.limits;
    let mut timers = Timers::new(Instant::now(), limits);
    let timer = sleep_until(timers.next());
    tokio::pin!(timer);
    loop {
        if let Some(end) = write_waiting(socket, session.mailbox(), &timers, limits).await {
            return end;
        }
        // Not left to the timer, which waits for a client that says nothing.
        if let Some(ending) = timers.over(Instant::now()) {
            return End::Ours(ending);
        }
        tokio::select! {
            biased;
            message = socket.next() => {
                let message = match message {
                    Some(Ok(message)) => message,
                    Some(Err(error)) => return broken(&error),
                    None => return End::Theirs,
                };
                if timers.heard(Instant::now()) {
                    timer.as_mut().reset(timers.next());
                }
                let received = match message {
                    Message::Text(text) => session.receive(text.as_str()),
                    Message::Binary(_) => session.receive_binary(),
                    Message::Close(_) => return End::Theirs,
                    // Answered by the WebSocket layer, which queues pongs without a bound: taken before the next frame is read.
                    Message::Ping(_) => match written(socket.flush(), session.mailbox(), &timers, limits).await {
                        Ok(()) => Ok(()),
                        Err(Unwritten::Told(ending)) => Err(ending),
                        Err(Unwritten::Stuck(end)) => return end,
                    },
                    Message::Pong(_) | Message::Frame(_) => Ok(()),
                };
                if let Err(ending) = received {
                    return End::Ours(ending);
                }
                if session.has_subscribed() {
                    timers.subscribed();
                }
                if timers.authorized_until(session.authorized_until()) {
                    timer.as_mut().reset(timers.next());
                }
            }
            () = &mut timer => {
                match timers.due(Instant::now()) {
                    Due::Nothing => {}
                    Due::Ping => session.ping(),
                    Due::End(ending) => return End::Ours(ending),
                }
                timer.as_mut().reset(timers.next());
            }
            () = session.mailbox().filled() => {}
        }
    }
}

const WRITE_STUCK: Ending = Ending::new(CloseCode::OVER_CAPACITY, "A frame was not taken in time");

/// Writes what waits for the client, until it is told to end, its time is over, or the client does not take a frame in time.
async fn write_waiting<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    mailbox: &Mailbox,
    timers: &Timers,
    limits: &Limits,
) -> Option<End> {
    for _ in 0..BURST {
        let frame = match mailbox.next() {
            Next::Write(frame) => frame,
            Next::End(ending) => return Some(End::Ours(ending)),
            Next::Nothing => return None,
        };
        if let Some(ending) = timers.over(Instant::now()) {
            return Some(End::Ours(ending));
        }
        match written(socket.send(Message::Text(frame)), mailbox, timers, limits).await {
            Ok(()) => {}
            // The frame is in the WebSocket layer's buffer, and may be stuck there behind a client that does not read.
            Err(Unwritten::Told(ending)) => {
                return Some(write_last(socket, mailbox, ending, limits.close_timeout).await);
            }
            Err(Unwritten::Stuck(end)) => return Some(end),
        }
    }
    None
}

/// Why something was not written.
enum Unwritten {
    /// The connection is to end.
    Told(Ending),
    /// The client is gone, did not take it in time, or has no time left.
    Stuck(End),
}

/// Waits for a write until the connection is told to end, its time is over, or the client does not take it in time.
async fn written(
    write: impl Future<Output = Result<(), Error>>,
    mailbox: &Mailbox,
    timers: &Timers,
    limits: &Limits,
) -> Result<(), Unwritten> {
    let stuck = timers.not_after_end(Instant::now() + limits.pong_timeout.min(LONGEST));
    tokio::select! {
        biased;
        written = timeout_at(stuck, write) => match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Unwritten::Stuck(End::Theirs)),
            Err(_) => {
                let ending = timers.over(Instant::now()).unwrap_or(WRITE_STUCK);
                Err(Unwritten::Stuck(End::Ours(ending)))
            }
        },
        ending = mailbox.ended() => Err(Unwritten::Told(ending)),
    }
}

/// Writes what was queued before the ending, as far as the client takes it in time.
async fn write_last<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    mailbox: &Mailbox,
    ending: Ending,
    limit: Duration,
) -> End {
    let writing = async {
        while let Next::Write(frame) = mailbox.next() {
            socket.send(Message::Text(frame)).await?;
        }
        Ok::<(), Error>(())
    };
    match timeout(limit, writing).await {
        Ok(Err(_)) => End::Theirs,
        Ok(Ok(())) | Err(_) => End::Ours(ending),
    }
}

/// What to say to a client whose bytes cannot be read on, if anything.
fn broken(error: &Error) -> End {
    let (code, reason) = match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            (CloseCode::TOO_BIG, "The message is too long")
        }
        Error::Utf8(_) => (CloseCode(1007), "A text message must be UTF-8"),
        Error::Protocol(_) => (CloseCode(1002), "This is not the WebSocket protocol"),
        _ => return End::Theirs,
    };
    End::Broken(Ending::new(code, reason))
}

/// The closing handshake. In the protocol's own codes the reason is an error event as well, as Pusher sends it.
async fn close<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>, end: End) {
    let (End::Ours(ending) | End::Broken(ending)) = end else {
        // Lets the WebSocket layer answer the client's close frame.
        while let Some(Ok(_)) = socket.next().await {}
        return;
    };
    tracing::debug!(close.code = ending.code.0, close.reason = ending.reason, "closing a connection");
    if ending.code.0 >= 4000 && ending.code != CloseCode::RECONNECT {
        let error = ProtocolEvent::Error { code: Some(ending.code), message: ending.reason, channel: None };
        if socket.feed(Message::text(error.encode())).await.is_err() {
            return;
        }
    }
    let frame = CloseFrame { code: ending.code.0.into(), reason: ending.reason.into() };
    if socket.close(Some(frame)).await.is_err() {
        return;
    }
    while let Some(Ok(_)) = socket.next().await {}
    if matches!(end, End::Broken(_)) {
        // Unread bytes would make the kernel reset the connection, and the client lose the close frame.
        let stream = socket.get_mut();
        let _ = stream.shutdown().await;
        let _ = tokio::io::copy(stream, &mut tokio::io::sink()).await;
    }
}
