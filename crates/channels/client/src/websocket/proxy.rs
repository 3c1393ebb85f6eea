use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
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
        match proxy.uri().scheme_str() {
            Some("http") => tunnel(proxy, self.open(proxy, 80).await?, host, port).await,
            Some("socks5h") => socks(proxy, self.open(proxy, 1080).await?, authority(host, port)).await,
            _ => self.connect_to_any(proxy, resolver::resolve(host, port).await?).await,
        }
    }

    /// Connects to the proxy.
    async fn open(&self, proxy: &Intercept, default_port: u16) -> Result<TcpStream, Error> {
        let host = proxy.uri().host().unwrap_or_default().trim_matches(['[', ']']);
        let port = proxy.uri().port_u16().unwrap_or(default_port);
        let stream = tcp::open(host, port, self.limit).await;
        stream.map_err(|error| failed("the proxy could not be reached").with_cause(error))
    }

    /// Connects through a SOCKS proxy to the first of these addresses that it reaches. Returns the
    /// first error if it reaches none.
    async fn connect_to_any(
        &self,
        proxy: &Intercept,
        addresses: Vec<SocketAddr>,
    ) -> Result<TcpStream, Error> {
        let share = tcp::time_per_address(self.limit, addresses.len());
        let mut addresses = addresses.into_iter();
        let mut failure = None;
        while let Some(address) = addresses.next() {
            // The last address has the rest of the attempt's time.
            let limit = if addresses.len() == 0 { Duration::MAX } else { share };
            let stream = self.open(proxy, 1080).await?;
            match timeout(limit, socks(proxy, stream, address.to_string())).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = failure.or(Some(error)),
                Err(_) => {
                    failure = failure.or_else(|| Some(failed("the SOCKS proxy did not answer in time")))
                }
            }
        }
        Err(failure.unwrap_or_else(|| failed("the server has no address")))
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

/// Connects through a SOCKS 5 proxy (RFC 1928) to `target`, a host or an address with its port.
async fn socks(proxy: &Intercept, stream: TcpStream, target: String) -> Result<TcpStream, Error> {
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
    use hyper_util::client::proxy::matcher::Matcher;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_socks_proxy_is_given_the_next_address_if_it_does_not_reach_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("socks5://{}", listener.local_addr().unwrap());
        let proxy = Matcher::builder().all(url).build().intercept(&Uri::from_static("http://server.test"));
        let connector = ProxyConnector { proxy: None, limit: Duration::from_secs(5) };
        let addresses = ["192.0.2.1:80", "192.0.2.2:80"].map(|address| address.parse().unwrap());
        let playing = async {
            // Host unreachable, then success (RFC 1928, 6).
            for (address, reply) in [(1, 4), (2, 0)] {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut greeting = [0; 3];
                stream.read_exact(&mut greeting).await.unwrap();
                stream.write_all(&[5, 0]).await.unwrap();
                let mut request = [0; 10];
                stream.read_exact(&mut request).await.unwrap();
                assert_eq!(request, [5, 1, 0, 1, 192, 0, 2, address, 0, 80]);
                stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            }
        };
        let proxy = proxy.unwrap();
        let connecting = connector.connect_to_any(&proxy, addresses.to_vec());
        let both = timeout(Duration::from_secs(30), async { tokio::join!(connecting, playing) });
        let (connected, ()) = both.await.expect("the client tries the next address");
        connected.unwrap();
    }

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 \r\nA: HTTP/1.1 200\r\n\r\n"), Some(407));
        for head in [&b""[..], b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 x\r\n\r\n"] {
            assert_eq!(status(head), None);
        }
    }
}
