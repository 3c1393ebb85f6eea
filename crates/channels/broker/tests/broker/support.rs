use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pusher_broker::{Broker, Builder, EventName, Limits, Signer};
use pusher_protocol::{ChannelName, SocketId};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

pub const NOW: u64 = 1_700_000_000;
pub const APP: &str = "/app/app-key?protocol=7&client=test&version=1";

pub fn signer() -> Signer {
    Signer::new("app-key", "app-secret")
}

pub fn broker() -> Broker {
    broker_with(|_| {})
}

pub fn broker_with(configure: impl FnOnce(&mut Limits)) -> Broker {
    let mut limits = Limits::default();
    configure(&mut limits);
    builder().limits(limits).build()
}

pub fn builder() -> Builder {
    Broker::builder("3", signer()).clock(|| Duration::from_secs(NOW))
}

/// Returns the client's end of an in-memory connection to the broker's router.
pub fn stream(broker: &Broker) -> DuplexStream {
    stream_with_buffer(broker, 1024)
}

/// Returns the client's end of an in-memory connection that buffers this many bytes in each
/// direction.
pub fn stream_with_buffer(broker: &Broker, bytes: usize) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(bytes);
    let service = TowerToHyperService::new(broker.router());
    tokio::spawn(async move {
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(theirs), service);
        let _ = connection.with_upgrades().await;
    });
    ours
}

pub struct Client<S = DuplexStream> {
    pub ws: WebSocketStream<S>,
    pub id: SocketId,
}

/// Returns an established connection.
pub async fn connect(broker: &Broker) -> Client {
    establish(open(broker, APP).await).await
}

pub async fn open(broker: &Broker, path: &str) -> WebSocketStream<DuplexStream> {
    tokio_tungstenite::client_async(format!("ws://broker{path}"), stream(broker)).await.unwrap().0
}

pub async fn establish<S: AsyncRead + AsyncWrite + Unpin>(mut ws: WebSocketStream<S>) -> Client<S> {
    let frame = next(&mut ws).await;
    assert_eq!(frame["event"], "pusher:connection_established");
    let data: Value = serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();
    Client { ws, id: data["socket_id"].as_str().unwrap().parse().unwrap() }
}

async fn next<S: AsyncRead + AsyncWrite + Unpin>(ws: &mut WebSocketStream<S>) -> Value {
    match ws.next().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
        other => panic!("expected a text frame, got {other:?}"),
    }
}

/// Reads until the broker closes the connection, and returns the close code.
pub async fn close_code<S: AsyncRead + AsyncWrite + Unpin>(ws: &mut WebSocketStream<S>) -> u16 {
    loop {
        match ws.next().await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("expected a close frame, got {other:?}"),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub async fn next(&mut self) -> Value {
        next(&mut self.ws).await
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.ws.send(message).await.unwrap();
    }

    /// Requests a subscription, and returns the answer.
    pub async fn try_subscribe(&mut self, channel: &str, auth: &str) -> Value {
        self.send(json!({"event": "pusher:subscribe", "data": {"channel": channel, "auth": auth}})).await;
        self.next().await
    }

    pub async fn subscribe(&mut self, channel: &str) {
        let auth = if channel.starts_with("private-") { self.auth(channel) } else { String::new() };
        let answer = self.try_subscribe(channel, &auth).await;
        assert_eq!(
            answer,
            json!({"event": "pusher_internal:subscription_succeeded", "channel": channel, "data": "{}"})
        );
    }

    /// Requests a subscription to a presence channel, and returns the answer.
    pub async fn try_join(&mut self, channel: &str, channel_data: &str) -> Value {
        let name = channel.parse::<ChannelName>().unwrap();
        let auth = signer().authorize_channel(&self.id, &name, Some(channel_data)).unwrap().auth;
        let data = json!({"channel": channel, "auth": auth, "channel_data": channel_data});
        self.send(json!({"event": "pusher:subscribe", "data": data})).await;
        self.next().await
    }

    /// Subscribes to a presence channel as a user, and returns its members.
    pub async fn join(&mut self, channel: &str, user_id: &str) -> Value {
        let data = json!({"user_id": user_id, "user_info": {"name": user_id}}).to_string();
        let answer = self.try_join(channel, &data).await;
        assert_eq!(answer["event"], "pusher_internal:subscription_succeeded", "{answer}");
        assert_eq!(answer["channel"], channel);
        data_of(&answer)["presence"].clone()
    }

    pub async fn unsubscribe(&mut self, channel: &str) {
        self.send(json!({"event": "pusher:unsubscribe", "data": {"channel": channel}})).await;
    }

    /// Requests to sign in, and returns the answer.
    pub async fn try_sign_in(&mut self, user_data: &str) -> Value {
        let auth = signer().authenticate_user(&self.id, user_data).unwrap().auth;
        self.send(json!({"event": "pusher:signin", "data": {"auth": auth, "user_data": user_data}})).await;
        self.next().await
    }

    pub async fn sign_in(&mut self, user_id: &str) {
        let user_data = json!({"id": user_id}).to_string();
        let answer = self.try_sign_in(&user_data).await;
        assert_eq!(answer, json!({"event": "pusher:signin_success", "data": {"user_data": user_data}}));
    }

    /// Asserts that nothing arrives before the answer to a ping.
    pub async fn got_nothing(&mut self) {
        self.send(json!({"event": "pusher:ping"})).await;
        assert_eq!(self.next().await["event"], "pusher:pong");
    }

    pub fn auth(&self, channel: &str) -> String {
        signer().authorize_channel(&self.id, &channel.parse::<ChannelName>().unwrap(), None).unwrap().auth
    }

    pub async fn close_code(&mut self) -> u16 {
        close_code(&mut self.ws).await
    }
}

/// Returns an error event without a code.
pub fn error(message: &str, channel: Option<&str>) -> Value {
    let mut frame = json!({"event": "pusher:error", "data": {"code": null, "message": message}});
    if let Some(channel) = channel {
        frame["channel"] = channel.into();
    }
    frame
}

pub fn event(name: &str, channel: &str, data: &str) -> Value {
    json!({"event": name, "channel": channel, "data": data})
}

/// Parses a frame's data, a JSON text.
pub fn data_of(frame: &Value) -> Value {
    serde_json::from_str(frame["data"].as_str().unwrap()).unwrap()
}

/// Publishes in process, and returns the number of receivers.
pub fn publish(broker: &Broker, channel: &str, event: &str, data: &str) -> usize {
    broker.publish(&channel.parse().unwrap(), &EventName::new(event).unwrap(), data, None).unwrap()
}

/// Returns a path with the signed query of a `POST` with this body.
pub fn signed(path: &str, body: &str, now: u64) -> String {
    let request = pusher_signer::Request::new("POST", path).with_body(body.as_bytes());
    let query = signer().sign_request(&request, now).unwrap();
    format!("{path}?{}", serde_urlencoded::to_string(query).unwrap())
}

/// Sends a signed `POST`.
pub async fn post(broker: &Broker, path: &str, body: &str) -> (StatusCode, String) {
    post_as_is(broker, &signed(path, body, NOW), body).await
}

pub async fn post_as_is(broker: &Broker, path: &str, body: &str) -> (StatusCode, String) {
    let request = Request::post(path).body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    send(broker, request).await
}

pub async fn send(broker: &Broker, request: Request<Full<Bytes>>) -> (StatusCode, String) {
    let response = http_client(broker).await.send_request(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub async fn http_client(broker: &Broker) -> hyper::client::conn::http1::SendRequest<Full<Bytes>> {
    let (sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream(broker))).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    sender
}

/// Sends a signed `GET`.
pub async fn get(broker: &Broker, path: &str, query: &[(&str, &str)]) -> (StatusCode, String) {
    let request = pusher_signer::Request::new("GET", path).with_query(query);
    let query = signer().sign_request(&request, NOW).unwrap();
    let path = format!("{path}?{}", serde_urlencoded::to_string(query).unwrap());
    send(broker, Request::get(path).body(Full::default()).unwrap()).await
}

/// Sends a signed `GET`, and returns the JSON of its successful response.
pub async fn get_json(broker: &Broker, path: &str, query: &[(&str, &str)]) -> Value {
    let (status, text) = get(broker, path, query).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    serde_json::from_str(&text).unwrap()
}
