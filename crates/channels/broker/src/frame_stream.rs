use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use header::Header;

mod header;
#[cfg(test)]
mod tests;

/// The stream below the WebSocket layer. It also writes text frames itself: their headers beside
/// their texts, with one write for all that wait.
///
/// The WebSocket layer would copy each text into a buffer that stays as large as the largest one.
/// What that layer writes (pongs, the closing handshake) follows the frames fed before. It must
/// have nothing left to flush when frames are fed.
#[derive(Debug)]
pub(crate) struct FrameStream<S> {
    inner: S,
    frames: VecDeque<Utf8Bytes>,
    /// Bytes of the first frame, with its header, that are written. Less than all.
    written: usize,
}

/// Bytes that are joined for a stream that cannot write several slices.
const JOINED: usize = 16 * 1024;

impl<S> FrameStream<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, frames: VecDeque::new(), written: 0 }
    }

    /// Adds text frames to those that wait to be written.
    pub(crate) fn feed(&mut self, mut frames: VecDeque<Utf8Bytes>) {
        match self.frames.is_empty() {
            true => self.frames = frames,
            false => self.frames.append(&mut frames),
        }
    }

    /// Returns whether a frame waits of which nothing is written.
    pub(crate) fn has_unstarted(&self) -> bool {
        self.frames.len() > usize::from(self.written > 0)
    }

    /// Discards the frames that wait, except one that is partly written.
    pub(crate) fn discard_unstarted(&mut self) {
        self.frames.truncate(usize::from(self.written > 0));
    }

    /// Removes the written frames, and returns their number.
    fn advance(&mut self, written: usize) -> usize {
        self.written += written;
        let mut finished = 0;
        while let Some(size) = self.frames.front().map(size).filter(|size| *size <= self.written) {
            self.written -= size;
            self.frames.pop_front();
            finished += 1;
        }
        if self.frames.is_empty() {
            self.frames = VecDeque::new();
        }
        finished
    }
}

/// Returns the bytes of a frame with its header.
fn size(frame: &Utf8Bytes) -> usize {
    Header::new(frame.len()).len() + frame.len()
}

impl<S: AsyncWrite + Unpin> FrameStream<S> {
    /// Writes until at least one more frame is written, and returns how many are; 0 if none waits.
    /// Cancel-safe.
    pub(crate) async fn write_frames(&mut self) -> io::Result<usize> {
        poll_fn(|cx| {
            while !self.frames.is_empty() {
                let finished = ready!(self.poll_write_some(cx))?;
                if finished > 0 {
                    return Poll::Ready(Ok(finished));
                }
            }
            Poll::Ready(Ok(0))
        })
        .await
    }

    fn poll_write_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.frames.is_empty() {
            ready!(self.poll_write_some(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes once, and returns how many frames that finishes. At least one must wait.
    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let headers: Vec<Header> = self.frames.iter().map(|frame| Header::new(frame.len())).collect();
        let both = headers.iter().zip(&self.frames);
        let mut slices: Vec<IoSlice<'_>> =
            both.flat_map(|(header, frame)| [header.as_ref(), frame.as_bytes()]).map(IoSlice::new).collect();
        let mut slices = slices.as_mut_slice();
        IoSlice::advance_slices(&mut slices, self.written);
        let inner = Pin::new(&mut self.inner);
        let written = match inner.is_write_vectored() {
            true => ready!(inner.poll_write_vectored(cx, slices))?,
            false => ready!(inner.poll_write(cx, &join(slices)))?,
        };
        if written == 0 {
            return Poll::Ready(Err(ErrorKind::WriteZero.into()));
        }
        Poll::Ready(Ok(self.advance(written)))
    }
}

/// Returns the beginning of what the slices contain.
fn join(slices: &[IoSlice<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for slice in slices {
        let room = JOINED.saturating_sub(bytes.len());
        bytes.extend_from_slice(slice.get(..room).unwrap_or(slice));
    }
    bytes
}

impl<S: AsyncRead + Unpin> AsyncRead for FrameStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FrameStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_write_all(cx))?;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_all(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_all(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
