use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::app::TestApp;

/// A minimal Pusher client, written by hand.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    pub(crate) id: String,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Socket {
    pub(crate) async fn connect(app: &TestApp) -> Self {
        let realtime = app.get("ada", "/v1/realtime").await.body;
        let key = realtime["key"].as_str().unwrap();
        Self::connect_to(app.server.local_addr(), key).await
    }

    pub(crate) async fn connect_to(address: SocketAddr, key: &str) -> Self {
        let url = format!("ws://{address}/app/{key}?protocol=7&client=test&version=1");
        let stream = TcpStream::connect(address).await.unwrap();
        let (stream, _) = client_async(url, stream).await.unwrap();
        let mut socket = Self { stream, id: String::new() };
        let (event, data) = socket.next().await;
        assert_eq!(event, "pusher:connection_established");
        socket.id = data["socket_id"].as_str().unwrap().to_owned();
        socket
    }

    /// Subscribes to the user's own channel with a signature from the auth endpoint.
    pub(crate) async fn subscribe(&mut self, app: &TestApp, user: &str) {
        let channel = format!("private-{user}");
        let form = json!({"socket_id": self.id, "channel_name": channel});
        let auth = app.post(user, "/pusher/auth", form).await.body["auth"].clone();
        self.send(json!({"event": "pusher:subscribe", "data": {"channel": channel, "auth": auth}})).await;
        let (event, _) = self.next().await;
        assert_eq!(event, "pusher_internal:subscription_succeeded");
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.stream.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// Returns the next event and its data.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        let frame: Value = serde_json::from_str(&self.text().await).unwrap();
        let data = match &frame["data"] {
            Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
            other => other.clone(),
        };
        (frame["event"].as_str().unwrap().to_owned(), data)
    }

    /// Returns the text of the next frame.
    pub(crate) async fn text(&mut self) -> String {
        let message =
            tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("an event should arrive");
        message.unwrap().unwrap().to_text().unwrap().to_owned()
    }

    /// Returns the code with which the server closes the connection.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next())
                .await
                .expect("the server should close the connection");
            match message.expect("a close frame should arrive first").unwrap() {
                Message::Close(Some(frame)) => return frame.code.into(),
                _ => continue,
            }
        }
    }
}
