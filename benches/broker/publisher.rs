use std::net::SocketAddr;
use std::time::SystemTime;

use pusher_signer::Request;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::peers::{APP_ID, signer};

/// Sends signed requests one after another, over one connection as long as the server keeps it
/// open.
pub(crate) struct Publisher {
    server: SocketAddr,
    /// `None` after a response with `Connection: close`, which sockudo always sends.
    stream: Option<TcpStream>,
    response: Vec<u8>,
}

pub(crate) const EVENT: &str = "news";

/// Returns a signed request that publishes one event.
pub(crate) fn event(channel: &str) -> Vec<u8> {
    signed("events", &event_body(channel))
}

/// Returns a signed request that publishes one event to each channel.
pub(crate) fn batch<'c>(channels: impl IntoIterator<Item = &'c String>) -> Vec<u8> {
    let events: Vec<Value> = channels.into_iter().map(|channel| event_body(channel)).collect();
    signed("batch_events", &json!({"batch": events}))
}

/// Returns a signed request that publishes one event with this data.
pub(crate) fn event_with(channel: &str, data: &str) -> Vec<u8> {
    signed("events", &json!({"name": EVENT, "channel": channel, "data": data}))
}

/// Returns a signed request for all channels.
pub(crate) fn list_of_channels() -> Vec<u8> {
    signed_with("GET", "channels", "")
}

fn event_body(channel: &str) -> Value {
    let data = r#"{"id":"n-1","heading":"Parcel","content":"A parcel has come"}"#;
    json!({"name": EVENT, "channel": channel, "data": data})
}

fn signed(call: &str, body: &Value) -> Vec<u8> {
    signed_with("POST", call, &body.to_string())
}

fn signed_with(method: &str, call: &str, body: &str) -> Vec<u8> {
    let path = format!("/apps/{APP_ID}/{call}");
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let mut request = Request::new(method, &path);
    if !body.is_empty() {
        request = request.with_body(body.as_bytes());
    }
    let query = signer().sign_request(&request, now).unwrap();
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let length = body.len();
    format!(
        "{method} {path}?{} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}",
        query.join("&")
    )
    .into_bytes()
}

impl Publisher {
    pub(crate) async fn connect(server: SocketAddr) -> Self {
        Self { server, stream: Some(connect(server).await), response: Vec::new() }
    }

    /// Sends a request, and waits for its successful response.
    pub(crate) async fn send(&mut self, request: &[u8]) {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.server).await,
        };
        stream.write_all(request).await.unwrap();
        self.response.clear();
        let head = loop {
            assert!(
                stream.read_buf(&mut self.response).await.unwrap() > 0,
                "the server closed the connection"
            );
            if let Some(head) = complete_head(&self.response) {
                break head;
            }
        };
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        self.stream = (!head.contains("connection: close")).then_some(stream);
    }
}

async fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Returns the head of a complete response in lower case.
fn complete_head(response: &[u8]) -> Option<String> {
    let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&response[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    (response.len() >= end + 4 + length.parse::<usize>().unwrap()).then_some(head)
}
