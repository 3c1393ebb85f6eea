//! A scripted server: the test accepts each connection of the client and plays the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pusher_client::protocol::{CloseCode, Frame, ProtocolEvent, SocketId, published_event};
use pusher_client::{
    BoxTransport, ChannelEvent, ChannelName, Client, ClientBuilder, ConnectionState, Connector, Signer,
    SigningAuthorizer, Subscription,
};
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::sync::{Mutex, mpsc};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// Longer than any timeout of the client.
pub(crate) const LONG: Duration = Duration::from_secs(3_600);

/// The network between client and test.
pub(crate) struct Net {
    dials: Arc<Dials>,
    accepts: Mutex<mpsc::Receiver<DuplexStream>>,
}

struct Dials {
    /// The capacity of a stream in each direction, in bytes.
    pipe: usize,
    streams: mpsc::Sender<DuplexStream>,
    attempts: AtomicUsize,
}

#[async_trait::async_trait]
impl Connector for Dials {
    async fn connect(&self, _host: &str, _port: u16) -> std::io::Result<BoxTransport> {
        let (ours, theirs) = tokio::io::duplex(self.pipe);
        self.attempts.fetch_add(1, Ordering::SeqCst);
        self.streams.send(theirs).await.map_err(std::io::Error::other)?;
        Ok(Box::new(ours))
    }
}

impl Net {
    pub(crate) fn new() -> Self {
        Self::with_pipe(4 * 1024)
    }

    pub(crate) fn with_pipe(pipe: usize) -> Self {
        let (streams, accepts) = mpsc::channel(16);
        let dials = Arc::new(Dials { pipe, streams, attempts: AtomicUsize::new(0) });
        Self { dials, accepts: Mutex::new(accepts) }
    }

    pub(crate) fn client(&self) -> ClientBuilder {
        Client::builder("app-key").host("server.test").tls(false).connector(self.dials.clone()).seed(7)
    }

    /// Accepts the client's next attempt, up to the WebSocket upgrade.
    pub(crate) async fn accept(&self) -> Peer {
        let stream = self.accept_raw().await;
        Peer(accept_async(stream).await.unwrap())
    }

    /// Accepts the client's next attempt as a plain stream.
    pub(crate) async fn accept_raw(&self) -> DuplexStream {
        let next = async { self.accepts.lock().await.recv().await.unwrap() };
        tokio::time::timeout(LONG, next).await.expect("the client did not try to connect")
    }

    /// Accepts the client's next attempt, and establishes it with this number in the socket id.
    pub(crate) async fn establish(&self, number: u32) -> Peer {
        let mut peer = self.accept().await;
        peer.greet(number).await;
        peer
    }

    /// Subscribes on the first connection, up to the client's request.
    pub(crate) async fn requested(&self, client: &Client, channel: &str) -> (Subscription, Peer) {
        let subscription = client.subscribe(channel).await.unwrap();
        let mut peer = self.establish(1).await;
        peer.expect_subscribe(channel).await;
        (subscription, peer)
    }

    /// Subscribes on the first connection, up to the server's confirmation.
    pub(crate) async fn confirmed(&self, client: &Client, channel: &str) -> (Subscription, Peer) {
        let (subscription, mut peer) = self.requested(client, channel).await;
        peer.confirm(channel).await;
        (subscription, peer)
    }

    /// Subscribes on the first connection, up to the subscriber's event.
    pub(crate) async fn subscribed(&self, client: &Client, channel: &str) -> (Subscription, Peer) {
        let (mut subscription, peer) = self.confirmed(client, channel).await;
        assert_eq!(next(&mut subscription).await, ChannelEvent::Subscribed);
        (subscription, peer)
    }

    pub(crate) fn attempts(&self) -> usize {
        self.dials.attempts.load(Ordering::SeqCst)
    }
}

/// The server's end of a connection.
pub(crate) struct Peer(pub(crate) WebSocketStream<DuplexStream>);

impl Peer {
    pub(crate) async fn greet(&mut self, number: u32) {
        let socket_id = socket_id(number);
        self.send(ProtocolEvent::ConnectionEstablished { socket_id: &socket_id, activity_timeout: 120 })
            .await;
    }

    pub(crate) async fn send(&mut self, frame: ProtocolEvent<'_>) {
        self.text(&frame.encode()).await;
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn publish(&mut self, channel: &str, event: &str, data: &str) {
        self.text(&published_event(event, channel, data)).await;
    }

    pub(crate) async fn confirm(&mut self, channel: &str) {
        self.send(ProtocolEvent::SubscriptionSucceeded { channel: &name(channel) }).await;
    }

    /// Sends a frame of the protocol, with data encoded twice.
    pub(crate) async fn frame(&mut self, event: &str, channel: &str, data: &Value) {
        self.publish(channel, event, &data.to_string()).await;
    }

    pub(crate) async fn confirm_presence(&mut self, channel: &str, hash: Value) {
        let ids: Vec<_> = hash.as_object().unwrap().keys().collect();
        let data = json!({ "presence": { "count": ids.len(), "ids": ids, "hash": hash } });
        self.frame("pusher_internal:subscription_succeeded", channel, &data).await;
    }

    pub(crate) async fn refuse(&mut self, code: Option<u16>, message: &str, channel: Option<&str>) {
        self.send(ProtocolEvent::Error { code: code.map(CloseCode), message, channel }).await;
    }

    pub(crate) async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "because".into() };
        self.0.send(Message::Close(Some(frame))).await.unwrap();
        while let Some(Ok(_)) = self.0.next().await {}
    }

    /// Returns the next message, or `None` once the client has disconnected.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        self.0.next().await?.ok()
    }

    /// Returns event and data of the next text message.
    pub(crate) async fn read(&mut self) -> (String, Value) {
        match self.message().await {
            Some(Message::Text(text)) => {
                let frame = Frame::parse(&text).unwrap();
                (frame.event.clone().into_owned(), frame.data().json().unwrap())
            }
            other => panic!("expected a text message, got {other:?}"),
        }
    }

    /// Expects a request to subscribe, and returns its `auth`.
    pub(crate) async fn expect_subscribe(&mut self, channel: &str) -> String {
        let (event, data) = self.read().await;
        assert_eq!((event.as_str(), data["channel"].as_str()), ("pusher:subscribe", Some(channel)));
        data["auth"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn expect_unsubscribe(&mut self, channel: &str) {
        let (event, data) = self.read().await;
        assert_eq!((event.as_str(), data["channel"].as_str()), ("pusher:unsubscribe", Some(channel)));
    }

    /// Expects that the client has sent nothing: its answer to a ping comes first.
    pub(crate) async fn expect_nothing(&mut self) {
        self.send(ProtocolEvent::Ping).await;
        assert_eq!(self.read().await.0, "pusher:pong");
    }
}

pub(crate) fn name(channel: &str) -> ChannelName {
    channel.parse().unwrap()
}

pub(crate) fn socket_id(number: u32) -> SocketId {
    SocketId::from_parts(1, number)
}

/// Creates an authorizer for the user ada.
pub(crate) fn ada() -> Arc<SigningAuthorizer> {
    Arc::new(SigningAuthorizer::new(Signer::new("app-key", "secret")).as_user("ada"))
}

/// Returns the next event of a subscriber.
pub(crate) async fn next(subscription: &mut Subscription) -> ChannelEvent {
    tokio::time::timeout(LONG, subscription.next())
        .await
        .expect("there was no event in time")
        .expect("the stream ended")
}

/// Returns the data of the next event of a subscriber.
pub(crate) async fn next_data(subscription: &mut Subscription) -> String {
    match next(subscription).await {
        ChannelEvent::Event(event) => event.data().to_owned(),
        other => panic!("expected an event, got {other:?}"),
    }
}

/// Waits for a state that matches.
pub(crate) async fn state(client: &Client, fits: impl Fn(&ConnectionState) -> bool) -> ConnectionState {
    let mut states = client.states();
    tokio::time::timeout(LONG, async {
        loop {
            let state = states.next().await.expect("the client ended");
            if fits(&state) {
                return state;
            }
        }
    })
    .await
    .expect("the state did not occur in time")
}
