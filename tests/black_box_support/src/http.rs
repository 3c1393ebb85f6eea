use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long an answer may take by default.
const PATIENCE: Duration = Duration::from_secs(60);

/// An HTTP client that sends any request, over one connection for as long as it lasts.
pub struct Http {
    address: SocketAddr,
    patience: Duration,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Http {
    /// Creates a client of the server at this address. It waits one minute for an answer.
    pub fn to(address: SocketAddr) -> Self {
        Self { address, patience: PATIENCE, connection: None }
    }

    /// Sets how long to wait for an answer.
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends a request, and reads the whole answer.
    ///
    /// # Errors
    /// Returns an error if the connection fails or the answer is late.
    pub async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let what = format!("{} {}", request.method(), request.uri());
        let answered = tokio::time::timeout(self.patience, self.exchange(request)).await;
        answered.unwrap_or_else(|_| Err(format!("no answer to {what}").into()))
    }

    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        // Put back only after a whole answer.
        let mut connection = match self.connection.take() {
            Some(connection) if !connection.is_closed() => connection,
            _ => connect(self.address).await?,
        };
        connection.ready().await?;
        let (parts, body) = connection.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        self.connection = Some(connection);
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Box<dyn Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

impl Answer {
    /// Returns the body. Panics if it is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// Returns the body. Panics if the status is another one.
    #[track_caller]
    pub fn with(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }

    /// Returns what is missing for a problem document with this status (RFC 9457), if anything is.
    pub fn flaw_as_problem(&self, status: u16) -> Option<String> {
        let header = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        if self.status != status {
            return Some(format!("{} instead of {status}: {:?}", self.status, self.body));
        }
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let is_problem = header("content-type") == Some("application/problem+json");
        let is_complete = body["status"] == status && body["type"].is_string() && body["title"].is_string();
        (!is_problem || !is_complete || header("x-request-id").is_none())
            .then(|| format!("not a complete problem document: {self:?}"))
    }
}
