use std::borrow::Cow;
use std::hint::black_box;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::event::{CHANNEL, NAME, Notification};

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    channel: Cow<'a, str>,
    #[serde(borrow)]
    data: Cow<'a, str>,
}

/// Reads with plain tokio-tungstenite and serde_json, without anything else that a client does.
pub(crate) async fn read(port: u16, frames: usize) -> f64 {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut socket, _) = client_async(format!("ws://127.0.0.1:{port}/app/app-key"), stream).await.unwrap();
    let first = socket.next().await.unwrap().unwrap();
    assert!(first.to_text().unwrap().contains("pusher:connection_established"), "{first}");
    let started = Instant::now();
    let subscribe = format!(r#"{{"event":"pusher:subscribe","data":{{"channel":"{CHANNEL}"}}}}"#);
    socket.send(Message::text(subscribe)).await.unwrap();
    let mut read = 0;
    while read < frames {
        let Message::Text(text) = socket.next().await.unwrap().unwrap() else { panic!("no text") };
        read += usize::from(is_event(&text));
    }
    started.elapsed().as_secs_f64()
}

fn is_event(text: &Utf8Bytes) -> bool {
    let frame: Frame<'_> = serde_json::from_str(text).unwrap();
    if frame.event != NAME || frame.channel != CHANNEL {
        return false;
    }
    black_box(serde_json::from_str::<Notification>(&frame.data).unwrap());
    true
}
