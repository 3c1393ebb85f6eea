#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use pusher_protocol::{CloseCode, ProtocolEvent};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::close::Close;
use crate::frame_stream::FrameStream;
use crate::room::FULL_ADDRESS;
use crate::send_queue::{Next, SendQueue};
use crate::session::Session;
use crate::shared::Shared;
use crate::timers::{Due, MAX_WAIT, Timers};

/// Serves one WebSocket until it has ended. With `Err`, only sends the close frame.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: Socket<S>,
    shared: &Arc<Shared>,
    admitted: Result<(), Close>,
) {
    let end = match admitted.and_then(|()| Session::open(shared)) {
        Ok(session) => {
            let end = run(&mut socket, session, shared).await;
            if end.is_over_capacity() {
                shared.counters.count_slow_reader();
            }
            end
        }
        Err(close) => {
            let end = End::ByBroker(close);
            if end.is_over_capacity() && close != FULL_ADDRESS {
                shared.counters.count_turned_away();
            }
            end
        }
    };
    let _ = timeout(shared.limits.close_timeout, finish(&mut socket, end)).await;
}

/// A WebSocket over the stream that writes its queued frames.
pub(crate) type Socket<S> = WebSocketStream<FrameStream<S>>;

/// How a connection ended.
enum End {
    /// The broker closes it.
    ByBroker(Close),
    /// The client closed it or is gone.
    ByClient,
    /// The client sent bytes that are not valid WebSocket frames.
    Invalid(Close),
}

impl End {
    /// Returns whether the close code is 4100.
    fn is_over_capacity(&self) -> bool {
        matches!(self, Self::ByBroker(Close { code: CloseCode::OVER_CAPACITY, .. }))
    }
}

/// The most frames written together, before the next read.
const BURST: usize = 64;

async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    mut session: Session,
    shared: &Shared,
) -> End {
    let limits = &shared.limits;
    let mut timers = Timers::new(Instant::now(), limits);
    let timer = sleep_until(timers.next());
    tokio::pin!(timer);
    loop {
        if let Some(end) = write_queued(socket, session.queue(), &timers, shared).await {
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
                    // each before the next read. The queued frames rely on this, too.
                    Message::Ping(_) => match write(socket.flush(), session.queue(), &timers, shared).await {
                        Ok(()) => Ok(()),
                        Err(WriteError::Closing(close)) => {
                            return write_remaining(socket, session.queue(), close, shared).await;
                        }
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
    socket: &mut Socket<S>,
    queue: &SendQueue,
    timers: &Timers,
    shared: &Shared,
) -> Option<End> {
    let frames = match queue.take(BURST) {
        Next::Write(frames) => frames,
        Next::Close(close) => return Some(End::ByBroker(close)),
        Next::Nothing => return None,
    };
    if let Some(close) = timers.expired(Instant::now()) {
        return Some(End::ByBroker(close));
    }
    feed(socket, frames, shared);
    match write_fed(socket, queue, timers, shared).await {
        Ok(()) => None,
        // Frames may be stuck in the stream, if the client does not read.
        Err(WriteError::Closing(close)) => Some(write_remaining(socket, queue, close, shared).await),
        Err(WriteError::Failed(end)) => Some(end),
    }
}

/// Hands frames to the stream, which must have nothing of the WebSocket layer left to write.
fn feed<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    frames: VecDeque<Utf8Bytes>,
    shared: &Shared,
) {
    shared.counters.messages_out.add(frames.len());
    socket.get_mut().feed(frames);
}

/// Writes the frames that were fed. The client has the time to read anew for each.
async fn write_fed<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    queue: &SendQueue,
    timers: &Timers,
    shared: &Shared,
) -> Result<(), WriteError> {
    loop {
        let written = write(socket.get_mut().write_frames(), queue, timers, shared).await?;
        if written == 0 {
            break;
        }
        queue.written(written);
        if let Some(close) = timers.expired(Instant::now()) {
            return Err(WriteError::Failed(End::ByBroker(close)));
        }
    }
    write(socket.flush(), queue, timers, shared).await
}

/// Why a write did not finish.
enum WriteError {
    /// The connection has to close. Queued frames may still be written.
    Closing(Close),
    /// The client is gone, did not read in time, or its connection expired.
    Failed(End),
}

/// Waits for a write until the connection has to close or the client does not read in time.
async fn write<T, E>(
    write: impl Future<Output = Result<T, E>>,
    queue: &SendQueue,
    timers: &Timers,
    shared: &Shared,
) -> Result<T, WriteError> {
    let patience = shared.limits.pong_timeout.min(MAX_WAIT);
    let deadline = timers.no_later_than_expiry(Instant::now() + patience);
    tokio::select! {
        biased;
        written = timeout_at(deadline, write) => match written {
            Ok(Ok(written)) => Ok(written),
            Ok(Err(_)) => Err(WriteError::Failed(End::ByClient)),
            Err(_) => {
                let close = timers.expired(Instant::now()).unwrap_or(WRITE_TIMEOUT);
                Err(WriteError::Failed(End::ByBroker(close)))
            }
        },
        close = queue.closed() => Err(WriteError::Closing(close)),
    }
}

/// Writes the frames queued before the close, as long as the client reads them in time. One that
/// has begun is left to the closing handshake.
async fn write_remaining<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    queue: &SendQueue,
    close: Close,
    shared: &Shared,
) -> End {
    if close.code == CloseCode::OVER_CAPACITY {
        // The client does not read, and the queue dropped its frames, too.
        return End::ByBroker(close);
    }
    let writing = async {
        loop {
            if !socket.get_ref().has_unstarted() {
                let Next::Write(frames) = queue.take(BURST) else { return Ok::<(), Error>(()) };
                // An answer to a ping may be partly written.
                socket.flush().await?;
                feed(socket, frames, shared);
            }
            socket.flush().await?;
        }
    };
    match timeout(shared.limits.close_timeout, writing).await {
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
async fn finish<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>, end: End) {
    socket.get_mut().discard_unstarted();
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
