use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use pusher_signer::{ChannelName, SocketId};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::peers::signer;
use crate::publisher::Publisher;

/// A connection with subscriptions.
pub(crate) struct Subscriber {
    socket: WebSocketStream<TcpStream>,
    id: SocketId,
}

impl Subscriber {
    /// Opens a connection and subscribes to one channel.
    pub(crate) async fn connect(server: SocketAddr, channel: &str) -> Self {
        let mut subscriber = Self::open(server).await;
        subscriber.subscribe(channel).await;
        subscriber
    }

    /// Opens a connection.
    pub(crate) async fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let url = format!("ws://{server}/app/app-key?protocol=7&client=bench&version=1");
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let connected = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await;
        let mut socket = connected.unwrap().0;
        let established: Value = serde_json::from_str(&text(&mut socket).await).unwrap();
        let data: Value = serde_json::from_str(established["data"].as_str().unwrap()).unwrap();
        let id = data["socket_id"].as_str().unwrap().parse().unwrap();
        Self { socket, id }
    }

    pub(crate) async fn subscribe(&mut self, channel: &str) {
        self.request(channel, None).await;
        self.subscribed().await;
    }

    /// Subscribes to several channels, without waiting for each.
    pub(crate) async fn subscribe_to_all(&mut self, channels: &[String]) {
        for channel in channels {
            self.request(channel, None).await;
        }
        for _ in channels {
            self.subscribed().await;
        }
    }

    /// Joins a presence channel. `data` is the member's.
    pub(crate) async fn join(&mut self, channel: &str, data: &str) {
        self.request(channel, Some(data)).await;
        self.subscribed().await;
    }

    /// Leaves a channel, without waiting for the server.
    pub(crate) async fn leave(&mut self, channel: &str) {
        self.send(&json!({"event": "pusher:unsubscribe", "data": {"channel": channel}})).await;
    }

    async fn request(&mut self, channel: &str, member: Option<&str>) {
        let mut request = json!({"event": "pusher:subscribe", "data": {"channel": channel}});
        if channel.starts_with("private-") || member.is_some() {
            let name: ChannelName = channel.parse().unwrap();
            request["data"]["auth"] =
                signer().authorize_channel(&self.id, &name, member).unwrap().auth.into();
        }
        if let Some(member) = member {
            request["data"]["channel_data"] = member.into();
        }
        self.send(&request).await;
    }

    async fn send(&mut self, request: &Value) {
        self.socket.send(Message::text(request.to_string())).await.unwrap();
    }

    /// Waits for the confirmation of a subscription. Others may join meanwhile.
    async fn subscribed(&mut self) {
        loop {
            let answer = text(&mut self.socket).await;
            if answer.contains("pusher_internal:subscription_succeeded") {
                return;
            }
            assert!(answer.contains("pusher_internal:member_"), "{answer}");
        }
    }

    /// Reads and forgets everything that arrives, without a WebSocket's cost.
    pub(crate) async fn drain(self) {
        let (mut stream, mut buffer) = (self.socket.into_inner(), vec![0; 64 * 1024]);
        while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    }

    /// Opens one connection for each channel, many at once.
    pub(crate) async fn connect_many(
        server: SocketAddr,
        channels: impl IntoIterator<Item = String>,
    ) -> Vec<Self> {
        let opening = channels.into_iter().map(async |channel| Self::connect(server, &channel).await);
        stream::iter(opening).buffered(50).collect().await
    }

    /// Publishes an event of this connection's channel, and returns how long it takes from the
    /// request until the event is here.
    pub(crate) async fn round_trip(&mut self, publisher: &mut Publisher, request: &[u8]) -> Duration {
        let started = Instant::now();
        let received = async {
            self.event().await;
            started.elapsed()
        };
        tokio::join!(publisher.send(request), received).1
    }

    /// Waits for a published event.
    pub(crate) async fn event(&mut self) {
        while !is_event(&text(&mut self.socket).await) {}
    }
}

async fn text(socket: &mut WebSocketStream<TcpStream>) -> String {
    loop {
        match socket.try_next().await.unwrap().expect("the connection is open") {
            Message::Text(text) => return text.as_str().to_owned(),
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    }
}

fn is_event(text: &str) -> bool {
    text.contains(EVENT_FIELD)
}

const EVENT_FIELD: &str = r#""event":"news""#;

/// Subscribers whose events are counted.
pub(crate) struct CountedSubscribers {
    count: Arc<AtomicUsize>,
    target: Arc<AtomicUsize>,
    reached: Arc<Notify>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl CountedSubscribers {
    pub(crate) fn new(subscribers: Vec<Subscriber>) -> Self {
        let mut this = Self {
            count: Arc::default(),
            target: Arc::default(),
            reached: Arc::default(),
            tasks: Vec::new(),
        };
        for mut subscriber in subscribers {
            let (count, target, reached) = (this.count.clone(), this.target.clone(), this.reached.clone());
            this.tasks.push(tokio::spawn(async move {
                loop {
                    subscriber.event().await;
                    if count.fetch_add(1, Ordering::Relaxed) + 1 == target.load(Ordering::Relaxed) {
                        reached.notify_one();
                    }
                }
            }));
        }
        this
    }

    /// Returns the rate of arriving events per second while `publishing` publishes `expected` of
    /// them.
    pub(crate) async fn rate(&self, expected: usize, publishing: impl Future<Output = ()>) -> f64 {
        self.count.store(0, Ordering::Relaxed);
        self.target.store(expected, Ordering::Relaxed);
        let started = std::time::Instant::now();
        tokio::join!(publishing, self.reached.notified());
        expected as f64 / started.elapsed().as_secs_f64()
    }
}

impl Drop for CountedSubscribers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
