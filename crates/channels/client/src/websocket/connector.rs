use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::tcp;

/// Opens the byte stream to a server: TCP, a proxy, a simulated network or a pipe in a test. If TLS
/// is on, it runs on top of the stream.
#[async_trait::async_trait]
pub trait Connector: Send + Sync {
    /// Opens a stream to `host`, a name or an IP address without brackets. The client drops the
    /// call after its [connect timeout](crate::ClientBuilder::connect_timeout).
    ///
    /// # Errors
    /// An error is a failed attempt; the client tries again with backoff. It is reported as
    /// [`ErrorKind::Unreachable`](crate::ErrorKind::Unreachable), or as the [`Error`](crate::Error)
    /// that it contains.
    async fn connect(&self, host: &str, port: u16) -> io::Result<BoxTransport>;
}

#[async_trait::async_trait]
impl<C: Connector + ?Sized> Connector for Arc<C> {
    async fn connect(&self, host: &str, port: u16) -> io::Result<BoxTransport> {
        (**self).connect(host, port).await
    }
}

#[async_trait::async_trait]
impl<C: Connector + ?Sized> Connector for Box<C> {
    async fn connect(&self, host: &str, port: u16) -> io::Result<BoxTransport> {
        (**self).connect(host, port).await
    }
}

/// A byte stream in both directions.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// The time that the addresses of a family share.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A boxed [`Transport`].
pub type BoxTransport = Box<dyn Transport>;

/// Connects over TCP without a proxy. A host's IPv6 and IPv4 addresses are tried side by side (RFC
/// 8305), so that the one family is reached if the other is broken.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpConnector;

#[async_trait::async_trait]
impl Connector for TcpConnector {
    async fn connect(&self, host: &str, port: u16) -> io::Result<BoxTransport> {
        let stream = tcp::open(host, port, CONNECT_TIMEOUT).await;
        Ok(Box::new(stream.map_err(io::Error::other)?))
    }
}
