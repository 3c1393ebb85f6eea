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

use crate::close::Close;
use crate::limits::Limits;
use crate::send_queue::{Next, SendQueue};
use crate::session::Session;
use crate::shared::Shared;
use crate::timers::{Due, MAX_WAIT, Timers};

/// Serves one WebSocket until it has ended. With `Err`, only sends the close frame.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocketStream<S>,
    shared: &Arc<Shared>,
    admitted: Result<(), Close>,
) {
    let end = match admitted.and_then(|()| Session::open(shared)) {
        Ok(session) => run(&mut socket, session, shared).await,
        Err(close) => End::ByBroker(close),
    };
    let _ = timeout(shared.limits.close_timeout, finish(&mut socket, end)).await;
}

/// How a connection ended.
enum End {
    /// The broker closes it.
    ByBroker(Close),
    /// The client closed it or is gone.
    ByClient,
    /// The client sent bytes that are not valid WebSocket frames.
    Invalid(Close),
}

/// Frames written in a row before the next read.
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
        if let Some(end) = write_queued(socket, session.queue(), &timers, limits).await {
            return end;
        }
        // The timer alone would not do: a client that always sends keeps it from being polled.
        if let Some(close) = timers.expired(Instant::now()) {
            return End::ByBroker(close);
        }
        tokio::select! {
            biased;
            message = socket.next() => {
                let message = match message {
                    Some(Ok(message)) => message,
                    Some(Err(error)) => return read_error(&error),
                    None => return End::ByClient,
                };
                if timers.received(Instant::now()) {
                    timer.as_mut().reset(timers.next());
                }
                let result = match message {
                    Message::Text(text) => session.receive(text.as_str()),
                    Message::Binary(_) => session.receive_binary(),
                    Message::Close(_) => return End::ByClient,
                    // The WebSocket layer answers pings but queues pongs without a bound: flush
                    // each before the next read.
                    Message::Ping(_) => match write(socket.flush(), session.queue(), &timers, limits).await {
                        Ok(()) => Ok(()),
                        Err(WriteError::Closing(close)) => Err(close),
                        Err(WriteError::Failed(end)) => return end,
                    },
                    Message::Pong(_) | Message::Frame(_) => Ok(()),
                };
                if let Err(close) = result {
                    return End::ByBroker(close);
                }
                if session.has_subscribed() {
                    timers.subscribed();
                }
                if timers.set_authorization_expiry(session.authorization_expiry()) {
                    timer.as_mut().reset(timers.next());
                }
            }
            () = &mut timer => {
                match timers.due(Instant::now()) {
                    Due::Nothing => {}
                    Due::Ping => session.ping(),
                    Due::Close(close) => return End::ByBroker(close),
                }
                timer.as_mut().reset(timers.next());
            }
            () = session.queue().ready() => {}
        }
    }
}

const WRITE_TIMEOUT: Close = Close::new(CloseCode::OVER_CAPACITY, "The client did not read a frame in time");

/// Writes queued frames. Returns how the connection ended, if it did.
async fn write_queued<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    queue: &SendQueue,
    timers: &Timers,
    limits: &Limits,
) -> Option<End> {
    for _ in 0..BURST {
        let frame = match queue.pop() {
            Next::Write(frame) => frame,
            Next::Close(close) => return Some(End::ByBroker(close)),
            Next::Nothing => return None,
        };
        if let Some(close) = timers.expired(Instant::now()) {
            return Some(End::ByBroker(close));
        }
        match write(socket.send(Message::Text(frame)), queue, timers, limits).await {
            Ok(()) => {}
            // The frame is in the WebSocket layer's buffer and may be stuck there, if the client
            // does not read.
            Err(WriteError::Closing(close)) => {
                return Some(write_remaining(socket, queue, close, limits.close_timeout).await);
            }
            Err(WriteError::Failed(end)) => return Some(end),
        }
    }
    None
}

/// Why a write did not finish.
enum WriteError {
    /// The connection has to close. Queued frames may still be written.
    Closing(Close),
    /// The client is gone, did not read in time, or its connection expired.
    Failed(End),
}

/// Waits for a write until the connection has to close or the client does not read in time.
async fn write(
    write: impl Future<Output = Result<(), Error>>,
    queue: &SendQueue,
    timers: &Timers,
    limits: &Limits,
) -> Result<(), WriteError> {
    let deadline = timers.no_later_than_expiry(Instant::now() + limits.pong_timeout.min(MAX_WAIT));
    tokio::select! {
        biased;
        written = timeout_at(deadline, write) => match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(WriteError::Failed(End::ByClient)),
            Err(_) => {
                let close = timers.expired(Instant::now()).unwrap_or(WRITE_TIMEOUT);
                Err(WriteError::Failed(End::ByBroker(close)))
            }
        },
        close = queue.closed() => Err(WriteError::Closing(close)),
    }
}

/// Writes the frames queued before the close, as long as the client reads them in time.
async fn write_remaining<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    queue: &SendQueue,
    close: Close,
    limit: Duration,
) -> End {
    let writing = async {
        while let Next::Write(frame) = queue.pop() {
            socket.send(Message::Text(frame)).await?;
        }
        Ok::<(), Error>(())
    };
    match timeout(limit, writing).await {
        Ok(Err(_)) => End::ByClient,
        Ok(Ok(())) | Err(_) => End::ByBroker(close),
    }
}

/// Returns how a failed read ends the connection.
fn read_error(error: &Error) -> End {
    let (code, reason) = match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            (CloseCode::TOO_BIG, "The message is too long")
        }
        Error::Utf8(_) => (CloseCode(1007), "A text message must be UTF-8"),
        Error::Protocol(_) => (CloseCode(1002), "This is not the WebSocket protocol"),
        _ => return End::ByClient,
    };
    End::Invalid(Close::new(code, reason))
}

/// Does the closing handshake. For the protocol's own close codes it sends an error event first, as
/// Pusher does.
async fn finish<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>, end: End) {
    let (End::ByBroker(close) | End::Invalid(close)) = end else {
        // The WebSocket layer answers the client's close frame.
        while let Some(Ok(_)) = socket.next().await {}
        return;
    };
    tracing::debug!(close.code = close.code.0, close.reason = close.reason, "closing a connection");
    if close.code.0 >= 4000 && close.code != CloseCode::RECONNECT {
        let error = ProtocolEvent::Error { code: Some(close.code), message: close.reason, channel: None };
        if socket.feed(Message::text(error.encode())).await.is_err() {
            return;
        }
    }
    let frame = CloseFrame { code: close.code.0.into(), reason: close.reason.into() };
    if socket.close(Some(frame)).await.is_err() {
        return;
    }
    while let Some(Ok(_)) = socket.next().await {}
    if matches!(end, End::Invalid(_)) {
        // With unread bytes the kernel would reset the connection and the client could miss the
        // close frame.
        let stream = socket.get_mut();
        let _ = stream.shutdown().await;
        let _ = tokio::io::copy(stream, &mut tokio::io::sink()).await;
    }
}
