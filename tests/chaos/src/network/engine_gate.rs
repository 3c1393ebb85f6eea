use crate::failure::Failure;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// A proxy between the nodes and the HTTP API of their engine that makes the engine slow or lets it
/// refuse requests.
pub(crate) struct EngineGate {
    pub(crate) address: SocketAddr,
    behaviour: Arc<Mutex<Behaviour>>,
    accepting: AbortHandle,
}

/// How the engine behaves. By default every request passes at once.
#[derive(Clone, Debug, Default)]
struct Behaviour {
    delay: Duration,
    /// The channel whose events are refused with 503.
    unavailable: Option<String>,
    /// Whether every request is refused with 401.
    is_unauthorized: bool,
}

/// The largest head of a message.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
const UNAUTHORIZED: &[u8] = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";

impl EngineGate {
    pub(crate) async fn start(engine: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, behaviour) = (listener.local_addr()?, Arc::new(Mutex::default()));
        let shared = behaviour.clone();
        let accepting = tokio::spawn(async move {
            loop {
                if let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(forward(client, engine, shared.clone()));
                }
            }
        });
        Ok(Self { address, behaviour, accepting: accepting.abort_handle() })
    }

    /// Holds each request back for this long.
    pub(crate) fn slow(&self, delay: Duration) {
        lock(&self.behaviour).delay = delay;
    }

    /// Answers 503 to every request with an event of this channel, or to none.
    pub(crate) fn refuse_channel(&self, channel: Option<String>) {
        lock(&self.behaviour).unavailable = channel;
    }

    /// Sets whether every request is answered with 401.
    pub(crate) fn refuse_all(&self, refuses: bool) {
        lock(&self.behaviour).is_unauthorized = refuses;
    }
}

impl Drop for EngineGate {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Behaviour {
    /// Returns the answer to a request that does not pass.
    fn refusal(&self, request: &[u8]) -> Option<&'static [u8]> {
        let names = |channel: &String| {
            let quoted = format!("\"{channel}\"");
            request.windows(quoted.len()).any(|window| window == quoted.as_bytes())
        };
        match self {
            Self { is_unauthorized: true, .. } => Some(UNAUTHORIZED),
            Self { unavailable: Some(channel), .. } if names(channel) => Some(UNAVAILABLE),
            _ => None,
        }
    }
}

/// Forwards requests one after another, and their answers. Ends with either connection.
async fn forward(client: TcpStream, engine: SocketAddr, behaviour: Arc<Mutex<Behaviour>>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let engine = TcpStream::connect(engine).await?;
    engine.set_nodelay(true)?;
    let (mut client, mut engine) = (BufReader::new(client), BufReader::new(engine));
    loop {
        let request = read_message(&mut client).await?;
        let behaviour = lock(&behaviour).clone();
        sleep(behaviour.delay).await;
        match behaviour.refusal(&request) {
            Some(refusal) => client.write_all(refusal).await?,
            None => {
                engine.write_all(&request).await?;
                let answer = read_message(&mut engine).await?;
                client.write_all(&answer).await?;
            }
        }
    }
}

/// Reads a request or an answer whose head has the length of its body.
async fn read_message(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    while !message.ends_with(b"\r\n\r\n") {
        if from.read_until(b'\n', &mut message).await? == 0 || message.len() > MAX_HEAD_BYTES {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let length = content_length(&String::from_utf8_lossy(&message));
    let whole = message.len() as u64 + length;
    from.take(length).read_to_end(&mut message).await?;
    if message.len() as u64 == whole { Ok(message) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn content_length(head: &str) -> u64 {
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
}

fn lock(behaviour: &Mutex<Behaviour>) -> MutexGuard<'_, Behaviour> {
    behaviour.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_with_the_refused_channel_are_refused() {
        let refuses = |behaviour: &Behaviour, body: &str| behaviour.refusal(body.as_bytes());
        let mut behaviour = Behaviour::default();
        let (one, ten) =
            (r#"{"batch":[{"channel":"private-1"}]}"#, r#"{"batch":[{"channel":"private-10"}]}"#);
        assert_eq!(refuses(&behaviour, one), None);
        behaviour.unavailable = Some("private-1".to_owned());
        assert_eq!(refuses(&behaviour, one), Some(UNAVAILABLE));
        assert_eq!(refuses(&behaviour, ten), None);
        behaviour.is_unauthorized = true;
        assert_eq!(refuses(&behaviour, ten), Some(UNAUTHORIZED));
    }

    #[tokio::test]
    async fn a_message_ends_after_its_body() {
        let text = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n";
        let mut from = &text[..];
        assert_eq!(read_message(&mut from).await.unwrap(), &text[..41]);
        assert_eq!(read_message(&mut from).await.unwrap(), &text[41..]);
        assert!(read_message(&mut from).await.is_err());
    }
}
