use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncWriteExt, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;

/// A stream that takes everything and notes each write.
#[derive(Default)]
struct Notes {
    is_vectored: bool,
    writes: Vec<Vec<u8>>,
    /// Where the slices of the last write are in memory.
    addresses: Vec<*const u8>,
}

impl AsyncWrite for Notes {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.push(buf.to_vec());
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.addresses = slices.iter().map(|slice| slice.as_ptr()).collect();
        let all = slices.iter().flat_map(|slice| slice.to_vec()).collect::<Vec<_>>();
        self.poll_write(cx, &all)
    }

    fn is_write_vectored(&self) -> bool {
        self.is_vectored
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn frames(texts: &[&str]) -> VecDeque<Utf8Bytes> {
    texts.iter().map(|text| (*text).into()).collect()
}

#[tokio::test]
async fn all_frames_that_wait_are_one_write_whether_or_not_the_stream_takes_slices() {
    for is_vectored in [true, false] {
        let mut stream = FrameStream::new(Notes { is_vectored, ..Notes::default() });
        stream.feed(frames(&["one", "", "three"]));
        assert_eq!(stream.write_frames().await.unwrap(), 3);
        assert_eq!(stream.inner.writes, [b"\x81\x03one\x81\x00\x81\x05three"]);
        assert_eq!(stream.write_frames().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_text_is_not_copied_and_nothing_of_it_remains() {
    let mut stream = FrameStream::new(Notes { is_vectored: true, ..Notes::default() });
    let text = Utf8Bytes::from("a".repeat(100_000));
    stream.feed(VecDeque::from(vec![text.clone(); 50]));
    assert_eq!(stream.write_frames().await.unwrap(), 50);
    assert!(
        stream.inner.addresses.iter().skip(1).step_by(2).all(|address| *address == text.as_bytes().as_ptr())
    );
    assert_eq!(stream.frames.capacity(), 0);
}

#[tokio::test]
async fn a_long_text_for_a_stream_without_slices_is_joined_in_bounded_parts() {
    let mut stream = FrameStream::new(Notes::default());
    stream.feed(VecDeque::from([Utf8Bytes::from("a".repeat(100_000))]));
    assert_eq!(stream.write_frames().await.unwrap(), 1);
    assert!(stream.inner.writes.iter().all(|write| write.len() <= JOINED));
    assert_eq!(stream.inner.writes.concat().len(), 100_010);
}

/// A broker's end and its client's, with a buffer of this many bytes between them.
async fn pair(bytes: usize) -> (WebSocketStream<FrameStream<impl Io>>, WebSocketStream<impl Io>) {
    let (ours, theirs) = duplex(bytes);
    (
        WebSocketStream::from_raw_socket(FrameStream::new(ours), Role::Server, None).await,
        WebSocketStream::from_raw_socket(theirs, Role::Client, None).await,
    )
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io for S {}

#[tokio::test]
async fn frames_pass_whole_through_a_narrow_stream_with_pongs_between_them() {
    let (mut broker, mut client) = pair(7).await;
    let texts: Vec<String> =
        [0, 1, 125, 126, 1_000, 70_000].iter().map(|length| "é".repeat(*length)).collect();
    let expected = texts.clone();
    let writing = async {
        for text in &texts {
            broker.get_mut().feed(VecDeque::from([Utf8Bytes::from(text.clone()), "next".into()]));
            broker.send(Message::Pong("pong".into())).await.unwrap();
        }
    };
    let reading = async {
        for text in &expected {
            for message in [Message::text(text.clone()), Message::text("next"), Message::Pong("pong".into())]
            {
                assert_eq!(client.next().await.unwrap().unwrap(), message);
            }
        }
    };
    tokio::join!(writing, reading);
}

#[tokio::test]
async fn a_write_reports_each_finished_frame() {
    let (mut broker, mut client) = pair(12).await;
    broker.get_mut().feed(frames(&["12345678", "12345678", "1"]));
    assert_eq!(broker.get_mut().write_frames().await.unwrap(), 1);
    assert!(broker.get_mut().write_frames().now_or_never().is_none());
    assert_eq!(client.next().await.unwrap().unwrap(), Message::text("12345678"));
    assert_eq!(broker.get_mut().write_frames().await.unwrap(), 2);
}

#[tokio::test]
async fn a_frame_that_has_begun_is_finished_before_the_close_and_the_others_are_discarded() {
    let (mut broker, mut client) = pair(4).await;
    broker.get_mut().feed(frames(&["begun", "waiting"]));
    assert!(broker.get_mut().write_frames().now_or_never().is_none());
    broker.get_mut().discard_unstarted();
    let closing = broker.close(None);
    let reading = async {
        let text = client.next().await.unwrap().unwrap();
        (text, client.next().await.unwrap().unwrap())
    };
    let (closed, read) = tokio::join!(closing, reading);
    closed.unwrap();
    assert_eq!(read, (Message::text("begun"), Message::Close(None)));

    let (mut broker, mut client) = pair(100).await;
    broker.get_mut().feed(frames(&["waiting"]));
    broker.get_mut().discard_unstarted();
    broker.get_mut().shutdown().await.unwrap();
    assert!(client.next().await.unwrap().is_err());
}
