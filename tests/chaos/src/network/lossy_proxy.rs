use crate::failure::Failure;
use rand::RngExt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// A proxy that loses some events on connections that stay open, as Pusher Channels may.
pub(crate) struct LossyProxy {
    pub(crate) address: SocketAddr,
    /// The percentage of events to lose.
    percent: Arc<AtomicU32>,
    accepting: AbortHandle,
}

/// The largest head of a response.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The opcode of a text frame.
const TEXT: u8 = 1;

impl LossyProxy {
    pub(crate) async fn start(target: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, percent) = (listener.local_addr()?, Arc::new(AtomicU32::new(0)));
        let shared = percent.clone();
        let accepting = tokio::spawn(async move {
            loop {
                if let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(forward(client, target, shared.clone()));
                }
            }
        });
        Ok(Self { address, percent, accepting: accepting.abort_handle() })
    }

    /// Sets the percentage of events to lose, chosen at random.
    pub(crate) fn lose(&self, percent: u32) {
        self.percent.store(percent, Ordering::Relaxed);
    }
}

impl Drop for LossyProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Forwards both directions until one of them ends.
async fn forward(client: TcpStream, target: SocketAddr, percent: Arc<AtomicU32>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        _ = forward_responses(BufReader::new(from_server), to_client, &percent) => {}
    }
}

/// Forwards plain HTTP unchanged, and after an upgrade frame by frame without the lost events.
async fn forward_responses(
    mut from: impl AsyncBufRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    percent: &AtomicU32,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD_BYTES {
        if from.read_until(b'\n', &mut head).await? == 0 {
            break;
        }
    }
    to.write_all(&head).await?;
    if !head.starts_with(b"HTTP/1.1 101") {
        copy(&mut from, &mut to).await?;
        return Ok(());
    }
    loop {
        let frame = read_frame(&mut from).await?;
        let is_lost = is_event(&frame) && rand::rng().random_range(0..100) < percent.load(Ordering::Relaxed);
        if !is_lost {
            to.write_all(&frame).await?;
        }
    }
}

/// Reads a complete unmasked frame (RFC 6455, section 5.2).
async fn read_frame(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let (first, second) = (from.read_u8().await?, from.read_u8().await?);
    let mut frame = vec![first, second];
    let length = match second {
        126 => {
            let length = from.read_u16().await?;
            frame.extend(length.to_be_bytes());
            u64::from(length)
        }
        127 => {
            let length = from.read_u64().await?;
            frame.extend(length.to_be_bytes());
            length
        }
        length => u64::from(length),
    };
    let head = frame.len() as u64;
    from.take(length).read_to_end(&mut frame).await?;
    if frame.len() as u64 != head + length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(frame)
}

/// Returns whether a frame carries a live event and not an event of the protocol itself.
fn is_event(frame: &[u8]) -> bool {
    let is_text = frame.first().is_some_and(|first| first & 0x0f == TEXT);
    is_text && frame.windows(EVENT.len()).any(|window| window == EVENT)
}

/// The common prefix of both live events' names.
const EVENT: &[u8] = b"\"internal-notification";

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT_FRAME: &[u8] = b"\x81\x23{\"event\":\"internal-notification-x\"}";
    const PONG_FRAME: &[u8] = b"\x81\x17{\"event\":\"pusher:pong\"}";

    async fn forwarded(answer: &[u8], percent: u32) -> Vec<u8> {
        let mut forwarded = Vec::new();
        // Reading beyond the last frame is an error.
        let _ = forward_responses(answer, &mut forwarded, &AtomicU32::new(percent)).await;
        forwarded
    }

    #[tokio::test]
    async fn only_events_are_lost() {
        let frames: Vec<u8> = [EVENT_FRAME, PONG_FRAME].concat().repeat(200);
        let answer = [b"HTTP/1.1 101 Switching Protocols\r\n\r\n".as_slice(), &frames].concat();
        assert_eq!(forwarded(&answer, 0).await, answer);
        let lossy = forwarded(&answer, 20).await;
        let count = |wanted: &[u8]| lossy.windows(wanted.len()).filter(|window| *window == wanted).count();
        assert_eq!(count(PONG_FRAME), 200);
        assert!((100..200).contains(&count(EVENT_FRAME)), "{}", count(EVENT_FRAME));
        assert!(!forwarded(&answer, 100).await.windows(EVENT.len()).any(|window| window == EVENT));
        let plain = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &frames].concat();
        assert_eq!(forwarded(&plain, 20).await, plain);
    }
}
