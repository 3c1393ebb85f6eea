use std::future::{Ready, ready};
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower_service::Service;

use super::{BoxTransport, Connector, tcp};
use crate::endpoint::authority;
use crate::{Error, ErrorKind, connect_error, resolver};

/// The longest head of a proxy's response in bytes.
const MAX_HEAD: usize = 8 * 1024;

/// Connects over TCP, through a proxy if one is configured.
pub(crate) struct ProxyConnector {
    pub(crate) proxy: Option<Intercept>,
    /// The time that the addresses of a family share.
    pub(crate) limit: Duration,
}

#[async_trait::async_trait]
impl Connector for ProxyConnector {
    async fn connect(&self, host: &str, port: u16) -> io::Result<BoxTransport> {
        let stream = match &self.proxy {
            None => tcp::open(host, port, self.limit).await,
            Some(proxy) => self.connect_through(proxy, host, port).await,
        };
        Ok(Box::new(stream.map_err(io::Error::other)?))
    }
}

impl ProxyConnector {
    async fn connect_through(&self, proxy: &Intercept, host: &str, port: u16) -> Result<TcpStream, Error> {
        let is_http = proxy.uri().scheme_str() == Some("http");
        let at = proxy.uri().host().unwrap_or_default().trim_matches(['[', ']']);
        let at_port = proxy.uri().port_u16().unwrap_or(if is_http { 80 } else { 1080 });
        let stream = tcp::open(at, at_port, self.limit).await;
        let stream = stream.map_err(|error| failed("the proxy could not be reached").with_cause(error))?;
        match is_http {
            true => tunnel(proxy, stream, host, port).await,
            false => socks(proxy, stream, host, port).await,
        }
    }
}

/// Opens a tunnel through an HTTP proxy (RFC 9110, 9.3.6).
async fn tunnel(proxy: &Intercept, mut stream: TcpStream, host: &str, port: u16) -> Result<TcpStream, Error> {
    let exchanged = async {
        stream.write_all(&request(proxy, host, port)).await?;
        head(&mut stream).await
    };
    let head = exchanged.await.map_err(|error| failed("the proxy did not answer").with_cause(error))?;
    match status(&head) {
        Some(200..=299) => Ok(stream),
        Some(407) => Err(connect_error::proxy_wants_password()),
        Some(status) => Err(failed(&format!("the proxy answered {status}")).with_code(Some(status))),
        None => Err(failed("the proxy's response is not HTTP")),
    }
}

fn request(proxy: &Intercept, host: &str, port: u16) -> Vec<u8> {
    let target = authority(host, port);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(authorization) = proxy.basic_auth() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// Reads up to the empty line and no further: the bytes after it are the server's.
async fn head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the response is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

/// Returns the status of an HTTP response.
fn status(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

/// Connects through a SOCKS 5 proxy (RFC 1928), which resolves the name if its scheme is `socks5h`.
async fn socks(proxy: &Intercept, stream: TcpStream, host: &str, port: u16) -> Result<TcpStream, Error> {
    let target = match proxy.uri().scheme_str() {
        Some("socks5h") => authority(host, port),
        _ => match resolver::resolve(host, port).await?.first() {
            Some(address) => address.to_string(),
            None => authority(host, port),
        },
    };
    let target = Uri::builder().scheme("http").authority(target).path_and_query("/").build();
    let target = target.map_err(|error| failed("the host cannot be sent to the proxy").with_cause(error))?;
    let mut socks = SocksV5::new(proxy.uri().clone(), Opened(Some(stream)));
    let has_password = proxy.raw_auth().is_some();
    if let Some((name, password)) = proxy.raw_auth() {
        socks = socks.with_auth(name.to_owned(), password.to_owned());
    }
    match socks.call(target).await {
        Ok(stream) => Ok(stream.into_inner()),
        Err(error) => {
            let hint = if has_password { "" } else { "; it may require a name and password" };
            Err(failed(&format!("the SOCKS proxy did not connect{hint}")).with_cause(error))
        }
    }
}

fn failed(message: &str) -> Error {
    Error::new(ErrorKind::Proxy, message)
}

/// A connector that has already connected.
struct Opened(Option<TcpStream>);

impl Service<Uri> for Opened {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<TcpStream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().map(TokioIo::new).ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 \r\nA: HTTP/1.1 200\r\n\r\n"), Some(407));
        for head in [&b""[..], b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 x\r\n\r\n"] {
            assert_eq!(status(head), None);
        }
    }
}
