//! Connects client and server to the simulated network: the client's connections, its requests, and
//! the server's accept loop.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use internal_notifications_pusher::{HttpClient, HttpMethod, HttpRequest, HttpResponse};
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::{BoxTransport, Connector};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use turmoil::net::{TcpListener, TcpStream};

/// The name of the server's host.
pub(crate) const SERVER: &str = "server";
/// The URL of its routes.
pub(crate) const URL: &str = "http://server";

const PORT: u16 = 80;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// A device's access to the simulated network.
pub(crate) struct Network {
    /// Resets every open connection.
    pub(crate) resets: watch::Sender<()>,
    /// For [`Bug::StaleAuthorization`](crate::Bug): the first authorization, which is used for
    /// every connection.
    pub(crate) stale_authorization: Option<Mutex<Option<HttpResponse>>>,
}

#[async_trait]
impl Connector for Network {
    async fn connect(&self, host: &str, port: u16) -> io::Result<BoxTransport> {
        let mut resets = self.resets.subscribe();
        let stream = TcpStream::connect((host, port)).await?;
        let reset = async move { drop(resets.changed().await) }.boxed();
        Ok(Box::new(Resettable { stream, reset }))
    }
}

#[async_trait]
impl HttpClient for Network {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ServiceError> {
        let stale = self.stale_authorization.as_ref().filter(|_| request.url.ends_with("/pusher/auth"));
        if let Some(answer) =
            stale.and_then(|stale| stale.lock().unwrap_or_else(PoisonError::into_inner).clone())
        {
            return Ok(answer);
        }
        let method = match request.method {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
            _ => "DELETE",
        };
        let (content_type, body) =
            request.body.map_or(("", Vec::new()), |body| (body.content_type, body.bytes));
        let path = request.url.strip_prefix(URL).unwrap_or_default();
        let sent = send(method, path, &request.bearer_token, content_type, body).await;
        let (status, body) =
            sent.map_err(|detail| ServiceError::new(ServiceErrorKind::Unavailable, detail))?;
        let answer = HttpResponse::new(status, body);
        if let Some(stale) = stale {
            *stale.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer.clone());
        }
        Ok(answer)
    }
}

/// Sends a request on a new connection, and returns the status and the body.
pub(crate) async fn send(
    method: &str,
    path: &str,
    bearer: &str,
    content_type: &str,
    body: Vec<u8>,
) -> Result<(u16, Vec<u8>), &'static str> {
    let answered =
        tokio::time::timeout(REQUEST_TIMEOUT, exchange(method, path, bearer, content_type, body)).await;
    answered.map_err(|_| "no answer in time")?.map_err(|_| "the connection broke")
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(
    method: &str,
    path: &str,
    bearer: &str,
    content_type: &str,
    body: Vec<u8>,
) -> Result<(u16, Vec<u8>), AnyError> {
    let stream = TcpStream::connect((SERVER, PORT)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, SERVER)
        .header(AUTHORIZATION, format!("Bearer {bearer}"))
        .header(CONTENT_TYPE, content_type)
        .body(Full::new(Bytes::from(body)))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    Ok((status, answer.into_body().collect().await?.to_bytes().to_vec()))
}

/// Serves a router on the current simulated host until the host is crashed.
pub(crate) async fn serve(router: Router) -> io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            drop(connection.await);
        });
    }
}

/// A stream that fails once `reset` is ready.
struct Resettable {
    stream: TcpStream,
    reset: BoxFuture<'static, ()>,
}

impl Resettable {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.reset.poll_unpin(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => {
                self.reset = std::future::ready(()).boxed();
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
    }
}

impl AsyncRead for Resettable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Resettable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Returns the network as both an HTTP client and a connector.
pub(crate) fn shared(network: Network) -> (Arc<dyn HttpClient>, Arc<dyn Connector>) {
    let network = Arc::new(network);
    (network.clone(), network)
}
