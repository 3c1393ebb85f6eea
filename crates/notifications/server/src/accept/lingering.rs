use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

/// A stream that lingers before it closes: it reads and drops what the client still sends, up to a
/// limit. Otherwise a client that is rejected while it sends a body would see a reset connection
/// instead of the answer. Once the server stops, it waits for a moment only.
#[derive(Debug)]
pub(super) struct Lingering<S> {
    stream: S,
    stop: CancellationToken,
    /// Set once our direction is closed.
    closing: Option<Closing>,
}

#[derive(Debug)]
struct Closing {
    deadline: Pin<Box<Sleep>>,
    /// The latest deadline.
    end: Instant,
    left: usize,
}

/// How long to wait for more data.
const QUIET: Duration = Duration::from_secs(1);
/// How long to wait in total, however slowly the client sends.
const LONGEST: Duration = Duration::from_secs(60);
/// The most bytes to drop.
const MAX_DROPPED_BYTES: usize = 8 * 1024 * 1024;

impl<S> Lingering<S> {
    pub(super) fn new(stream: S, stop: CancellationToken) -> Self {
        Self { stream, stop, closing: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, stop, closing } = &mut *self;
        if closing.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        let closing = closing.get_or_insert_with(|| Closing {
            deadline: Box::pin(tokio::time::sleep(QUIET)),
            end: Instant::now() + LONGEST,
            left: MAX_DROPPED_BYTES,
        });
        let mut dropped = [0; 8 * 1024];
        while closing.left > 0 {
            let mut buffer = ReadBuf::new(&mut dropped);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    closing.left = closing.left.saturating_sub(buffer.filled().len());
                    if !stop.is_cancelled() {
                        closing.deadline.as_mut().reset((Instant::now() + QUIET).min(closing.end));
                    } else if Instant::now() >= closing.deadline.deadline() {
                        break;
                    }
                }
                // The client has closed its direction, or is gone.
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(closing.deadline.as_mut().poll(cx));
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_still_sending_can_finish_and_reads_the_answer() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut stream = Lingering::new(near, CancellationToken::new());
        let client = tokio::spawn(async move {
            for _ in 0..100 {
                tokio::time::sleep(QUIET / 2).await;
                far.write_all(&[0; 64]).await.expect("it is accepted");
            }
            let mut answer = String::new();
            far.read_to_string(&mut answer).await.expect("the answer arrives");
            answer
        });
        stream.write_all(b"no").await.expect("it is accepted");
        stream.shutdown().await.expect("it ends");
        drop(stream);
        assert_eq!(client.await.expect("it ends"), "no");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_and_an_endless_one_are_cut_off() {
        let (near, far) = tokio::io::duplex(64);
        let started = Instant::now();
        Lingering::new(near, CancellationToken::new()).shutdown().await.expect("it ends");
        assert_eq!(started.elapsed(), QUIET);
        drop(far);

        let (near, mut far) = tokio::io::duplex(64);
        let endless = tokio::spawn(async move {
            let mut sent = 0;
            while far.write_all(&[0; 64]).await.is_ok() {
                sent += 64;
            }
            sent
        });
        let mut stream = Lingering::new(near, CancellationToken::new());
        stream.shutdown().await.expect("it ends");
        drop(stream);
        let sent = endless.await.expect("it ends");
        assert!((MAX_DROPPED_BYTES..MAX_DROPPED_BYTES + 1024).contains(&sent), "{sent}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_slowly_is_cut_off_in_the_end() {
        let (near, mut far) = tokio::io::duplex(64);
        let slow = tokio::spawn(async move {
            while far.write_all(&[0]).await.is_ok() {
                tokio::time::sleep(QUIET / 2).await;
            }
        });
        let (mut stream, started) = (Lingering::new(near, CancellationToken::new()), Instant::now());
        stream.shutdown().await.expect("it ends");
        assert_eq!(started.elapsed(), LONGEST);
        drop(stream);
        slow.await.expect("it ends");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_slowly_does_not_hold_up_a_stop() {
        let (near, mut far) = tokio::io::duplex(64);
        let slow = tokio::spawn(async move {
            while far.write_all(&[0]).await.is_ok() {
                tokio::time::sleep(QUIET * 9 / 10).await;
            }
        });
        let stop = CancellationToken::new();
        let (mut stream, started) = (Lingering::new(near, stop.clone()), Instant::now());
        tokio::spawn(async move {
            tokio::time::sleep(QUIET * 10).await;
            stop.cancel();
        });
        stream.shutdown().await.expect("it ends");
        assert!(started.elapsed() > QUIET * 9 && started.elapsed() <= QUIET * 11, "{:?}", started.elapsed());
        drop(stream);
        slow.await.expect("it ends");
    }
}
