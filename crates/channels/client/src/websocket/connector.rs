use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Opens the byte stream to a server. TLS, where it is used, runs on top of it, so that a connector may be a proxy, a
/// simulated network, or a pipe in a test.
#[async_trait::async_trait]
pub trait Connector: Send + Sync {
    /// A stream to `host`, which is a name or an address, without brackets. The call is dropped when it takes too long.
    ///
    /// # Errors
    /// Count as a failed attempt: another follows, with backoff.
    async fn connect(&self, host: &str, port: u16) -> io::Result<BoxTransport>;
}

#[async_trait::async_trait]
impl<C: Connector + ?Sized> Connector for Arc<C> {
    async fn connect(&self, host: &str, port: u16) -> io::Result<BoxTransport> {
        (**self).connect(host, port).await
    }
}

/// A byte stream of both directions.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Any [`Transport`].
pub type BoxTransport = Box<dyn Transport>;

/// Plain TCP, the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpConnector;

#[async_trait::async_trait]
impl Connector for TcpConnector {
    async fn connect(&self, host: &str, port: u16) -> io::Result<BoxTransport> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
