use crate::failure::Failure;
use rand::RngExt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// A proxy that loses single events of connections that live on, as Channels may.
pub(crate) struct Lossy {
    pub(crate) address: SocketAddr,
    /// How many of a hundred events.
    lost: Arc<AtomicU32>,
    accepting: AbortHandle,
}

/// What the head of an answer may have.
const HEAD_BYTES: usize = 16 * 1024;
const TEXT: u8 = 1;

impl Lossy {
    pub(crate) async fn before(target: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, lost) = (listener.local_addr()?, Arc::new(AtomicU32::new(0)));
        let share = lost.clone();
        let accepting = tokio::spawn(async move {
            loop {
                if let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(carry(client, target, share.clone()));
                }
            }
        });
        Ok(Self { address, lost, accepting: accepting.abort_handle() })
    }

    /// From now on so many of a hundred events, chosen at random.
    pub(crate) fn lose(&self, percent: u32) {
        self.lost.store(percent, Ordering::Relaxed);
    }
}

impl Drop for Lossy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Carries both directions until one of them ends.
async fn carry(client: TcpStream, target: SocketAddr, lost: Arc<AtomicU32>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        _ = answers(BufReader::new(from_server), to_client, &lost) => {}
    }
}

/// Plain HTTP as it is; after an upgrade frame by frame.
async fn answers(
    mut from: impl AsyncBufRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    lost: &AtomicU32,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES {
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
        let frame = frame(&mut from).await?;
        let is_lost = is_event(&frame) && rand::rng().random_range(0..100) < lost.load(Ordering::Relaxed);
        if !is_lost {
            to.write_all(&frame).await?;
        }
    }
}

/// A whole frame as a server sends it, unmasked (RFC 6455, 5.2).
async fn frame(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
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

/// Whether a frame carries a notification or a change of one, and not what the protocol itself says.
fn is_event(frame: &[u8]) -> bool {
    let is_text = frame.first().is_some_and(|first| first & 0x0f == TEXT);
    is_text && frame.windows(EVENT.len()).any(|window| window == EVENT)
}

/// How the names of both events begin.
const EVENT: &[u8] = b"\"internal-notification";

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT_FRAME: &[u8] = b"\x81\x23{\"event\":\"internal-notification-x\"}";
    const PONG_FRAME: &[u8] = b"\x81\x17{\"event\":\"pusher:pong\"}";

    async fn carried(answer: &[u8], percent: u32) -> Vec<u8> {
        let mut carried = Vec::new();
        // The end of the frames is an error.
        let _ = answers(answer, &mut carried, &AtomicU32::new(percent)).await;
        carried
    }

    #[tokio::test]
    async fn some_events_are_lost_and_nothing_else() {
        let frames: Vec<u8> = [EVENT_FRAME, PONG_FRAME].concat().repeat(200);
        let answer = [b"HTTP/1.1 101 Switching Protocols\r\n\r\n".as_slice(), &frames].concat();
        assert_eq!(carried(&answer, 0).await, answer);
        let lossy = carried(&answer, 20).await;
        let count = |what: &[u8]| lossy.windows(what.len()).filter(|window| *window == what).count();
        assert_eq!(count(PONG_FRAME), 200);
        assert!((100..200).contains(&count(EVENT_FRAME)), "{}", count(EVENT_FRAME));
        assert!(!carried(&answer, 100).await.windows(EVENT.len()).any(|window| window == EVENT));
        let plain = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &frames].concat();
        assert_eq!(carried(&plain, 20).await, plain);
    }
}
