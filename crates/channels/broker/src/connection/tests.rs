use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use pusher_signer::Signer;
use tokio::io::{ReadBuf, duplex};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::broker::Broker;
use crate::limits::Limits;

/// A stream that takes everything, counts the writes, and never has anything to read.
#[derive(Default)]
struct Counting(Arc<AtomicUsize>);

impl AsyncRead for Counting {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Counting {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

async fn socket<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Socket<S> {
    WebSocketStream::from_raw_socket(FrameStream::new(stream), Role::Server, None).await
}

fn shared() -> Arc<Shared> {
    let limits = Limits { subscribe_timeout: Duration::from_secs(90), ..Limits::default() };
    Broker::builder("1", Signer::new("key", "secret")).limits(limits).build().shared
}

#[tokio::test]
async fn the_frames_that_wait_are_one_write() {
    let (shared, writes) = (shared(), Arc::<AtomicUsize>::default());
    let session = Session::open(&shared).unwrap();
    // Beside the first event.
    (0..10).for_each(|n| session.queue().push(format!("event {n}").into()));
    let mut socket = socket(Counting(writes.clone())).await;
    assert!(run(&mut socket, session, &shared).now_or_never().is_none());
    assert_eq!((writes.load(Ordering::Relaxed), shared.counters.messages_out.get()), (1, 11));
}

#[tokio::test(start_paused = true)]
async fn closes_for_lack_of_room_are_counted_apart() {
    let shared = shared();
    let counted = || (shared.counters.slow_readers(), shared.counters.turned_away());
    let (ours, _theirs) = duplex(16);
    serve(socket(ours).await, &shared, Ok(())).await;
    assert_eq!(counted(), (1, 0));
    let (ours, _theirs) = duplex(16);
    let full = Close::new(CloseCode::OVER_CAPACITY, "full");
    serve(socket(ours).await, &shared, Err(full)).await;
    assert_eq!(counted(), (1, 1));
    let (ours, theirs) = duplex(16);
    drop(theirs);
    serve(socket(ours).await, &shared, Ok(())).await;
    assert_eq!(counted(), (1, 1));
}
