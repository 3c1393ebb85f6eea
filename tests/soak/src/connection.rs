use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pusher_signer::{ChannelName, SocketId};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::Failure;
use crate::world::{APP_KEY, World};

/// How long a connection may take to be established, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client's connection. Without an end, dropping it is a client that dies.
pub(crate) struct Connection {
    socket: WebSocketStream<TcpStream>,
    id: SocketId,
}

impl Connection {
    pub(crate) async fn open(world: &World) -> Result<Self, Failure> {
        timeout(PATIENCE, Self::establish(world)).await?
    }

    async fn establish(world: &World) -> Result<Self, Failure> {
        let stream = TcpStream::connect(world.address).await?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{}/app/{APP_KEY}?protocol=7&client=soak&version=1", world.address);
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let (mut socket, _) = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await?;
        let established = next(&mut socket).await?;
        let data: Value = serde_json::from_str(text(&established, "data"))?;
        let id = text(&data, "socket_id").parse()?;
        Ok(Self { socket, id })
    }

    /// Waits for the next event, and answers pings.
    pub(crate) async fn next(&mut self) -> Result<Value, Failure> {
        let event = next(&mut self.socket).await?;
        if text(&event, "event") == "pusher:ping" {
            self.send(&json!({"event": "pusher:pong", "data": {}})).await?;
        }
        Ok(event)
    }

    /// Asks for a subscription. `member` is the channel data of a presence channel.
    pub(crate) async fn subscribe(
        &mut self,
        world: &World,
        channel: &str,
        member: Option<&str>,
    ) -> Result<(), Failure> {
        let mut data = json!({"channel": channel});
        if channel.starts_with("private-") || member.is_some() {
            let name: ChannelName = channel.parse()?;
            let signed = world.signer.authorize_channel(&self.id, &name, member)?;
            data = json!({"channel": channel, "auth": signed.auth, "channel_data": member});
        }
        self.send(&json!({"event": "pusher:subscribe", "data": data})).await
    }

    pub(crate) async fn unsubscribe(&mut self, channel: &str) -> Result<(), Failure> {
        self.send(&json!({"event": "pusher:unsubscribe", "data": {"channel": channel}})).await
    }

    /// Asks for a pong, which comes after everything that was caused before.
    pub(crate) async fn ping(&mut self) -> Result<(), Failure> {
        self.send(&json!({"event": "pusher:ping", "data": {}})).await
    }

    /// Says goodbye.
    pub(crate) async fn close(mut self) {
        let _ = timeout(PATIENCE, self.socket.close(None)).await;
    }

    async fn send(&mut self, event: &Value) -> Result<(), Failure> {
        Ok(self.socket.send(Message::text(event.to_string())).await?)
    }
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Result<Value, Failure> {
    loop {
        match socket.next().await.ok_or("the connection ended")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Close(frame) => return Err(format!("closed by the broker: {frame:?}").into()),
            _ => {}
        }
    }
}

/// Returns a field that is a text, or nothing.
pub(crate) fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
