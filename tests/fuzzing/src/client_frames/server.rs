use std::io;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use pusher_client::{BoxTransport, Connector};
use pusher_protocol::{Frame, ProtocolEvent, SocketId, names};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::runtime;

/// The client's connections, in order.
pub(super) struct Connections(mpsc::Receiver<DuplexStream>);

struct Dial(mpsc::Sender<DuplexStream>);

#[async_trait::async_trait]
impl Connector for Dial {
    async fn connect(&self, _host: &str, _port: u16) -> io::Result<BoxTransport> {
        let (ours, theirs) = tokio::io::duplex(4 * 1024);
        self.0.send(theirs).await.map_err(io::Error::other)?;
        Ok(Box::new(ours))
    }
}

impl Connections {
    pub(super) fn new() -> (Arc<dyn Connector>, Self) {
        let (dials, accepts) = mpsc::channel(1);
        (Arc::new(Dial(dials)), Self(accepts))
    }

    /// Returns the next connection that the client keeps, established and with its first frames
    /// read.
    pub(super) async fn accept(&mut self) -> Server {
        loop {
            let stream = self.0.recv().await.expect("the client has ended");
            let Ok(mut socket) = accept_async(stream).await else { continue };
            let socket_id = &SocketId::from_parts(1, 2);
            let greeting = ProtocolEvent::ConnectionEstablished { socket_id, activity_timeout: 120 };
            if socket.send(Message::text(greeting.encode())).await.is_ok() {
                let (sends, to_send) = mpsc::channel(64);
                tokio::spawn(carry(socket, to_send));
                runtime::settle().await;
                return Server { sends: Some(sends) };
            }
        }
    }
}

/// The server's end of a connection.
pub(super) struct Server {
    sends: Option<mpsc::Sender<Message>>,
}

impl Server {
    pub(super) fn is_connected(&self) -> bool {
        self.sends.as_ref().is_some_and(|sends| !sends.is_closed())
    }

    pub(super) fn cut(&mut self) {
        self.sends = None;
    }

    pub(super) async fn close(&mut self, code: u16) {
        self.send(Message::Close(Some(CloseFrame { code: code.into(), reason: "because".into() }))).await;
    }

    pub(super) async fn binary(&mut self, text: &str) {
        self.send(Message::binary(text.to_owned())).await;
    }

    pub(super) async fn text(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    async fn send(&mut self, message: Message) {
        if let Some(sends) = &self.sends {
            let _ = sends.send(message).await;
        }
    }
}

/// Carries messages until the connection ends, and checks that the client follows the protocol.
async fn carry(mut socket: WebSocketStream<DuplexStream>, mut to_send: mpsc::Receiver<Message>) {
    loop {
        tokio::select! {
            message = to_send.recv() => match message {
                Some(message) => drop(socket.send(message).await),
                None => return,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => check(&text),
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}

fn check(text: &str) {
    let allowed = [names::SUBSCRIBE, names::UNSUBSCRIBE, names::SIGNIN, names::PING, names::PONG];
    let frame = Frame::parse(text).expect("the client sends valid frames");
    assert!(allowed.contains(&&*frame.event), "the client sent {}", frame.event);
}
