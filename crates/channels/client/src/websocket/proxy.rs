use std::io;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{BoxTransport, Connector, TcpConnector};
use crate::endpoint::{Endpoint, is_loopback};
use crate::{Error, ErrorKind};

/// The longest head of a proxy's answer.
const MAX_HEAD: usize = 8 * 1024;

/// TCP, through an HTTP proxy where one is to be used.
pub(crate) struct ProxyConnector {
    proxy: Option<Intercept>,
}

impl ProxyConnector {
    /// What the environment says of the server, read once.
    pub(crate) fn from_env(endpoint: &Endpoint) -> Result<Self, Error> {
        match is_loopback(&endpoint.host) {
            true => Ok(Self { proxy: None }),
            false => Self::of(&Matcher::from_env(), endpoint),
        }
    }

    /// Always this proxy.
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        let anywhere = Endpoint { host: "server.invalid".to_owned(), port: 443, tls: true };
        let found = Self::of(&Matcher::builder().all(url).build(), &anywhere)?;
        if found.proxy.is_some() { Ok(found) } else { Err(wrong("the proxy must be one of http://")) }
    }

    /// The proxy to this server, if there is to be one. One that cannot be used is an error: it may be there to hide or to
    /// guard what goes past it, and trying for ever would look like a server that is down.
    fn of(proxies: &Matcher, endpoint: &Endpoint) -> Result<Self, Error> {
        let Endpoint { host, port, tls } = endpoint;
        let scheme = if *tls { "https" } else { "http" };
        let uri = format!("{scheme}://{}", authority(host, *port)).parse::<Uri>();
        let proxy = uri.ok().and_then(|uri| proxies.intercept(&uri));
        match proxy {
            Some(proxy) if proxy.uri().scheme_str() != Some("http") || proxy.uri().host().is_none() => {
                Err(wrong("the proxy for the server, which the environment may name, is not one of http://"))
            }
            proxy => Ok(Self { proxy }),
        }
    }
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[async_trait::async_trait]
impl Connector for ProxyConnector {
    async fn connect(&self, host: &str, port: u16) -> io::Result<BoxTransport> {
        let Some(proxy) = &self.proxy else { return TcpConnector.connect(host, port).await };
        let at = proxy.uri().host().unwrap_or_default().trim_matches(['[', ']']);
        let mut stream = TcpConnector.connect(at, proxy.uri().port_u16().unwrap_or(80)).await?;
        stream.write_all(&request(proxy, host, port)).await?;
        stream.flush().await?;
        match status(&head(&mut stream).await?) {
            Some(200..=299) => Ok(stream),
            Some(status) => {
                tracing::debug!(http.status = status, "the proxy refused");
                Err(io::Error::new(io::ErrorKind::ConnectionRefused, "the proxy refused"))
            }
            None => Err(io::Error::new(io::ErrorKind::InvalidData, "the proxy's answer is no HTTP")),
        }
    }
}

/// A request for a tunnel (RFC 9110, 9.3.6).
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

/// Reads up to the empty line and no further: what follows is the server's.
async fn head(stream: &mut BoxTransport) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the proxy's answer is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_proxies_are_taken() {
        assert!(ProxyConnector::new("http://proxy.test:3128").is_ok());
        for url in ["", "socks5://proxy.test:1080", "https://proxy.test", "http://"] {
            assert!(ProxyConnector::new(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_status_of_the_first_line_decides() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 \r\nA: HTTP/1.1 200\r\n\r\n"), Some(407));
        for head in [&b""[..], b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 x\r\n\r\n"] {
            assert_eq!(status(head), None);
        }
    }

    #[test]
    fn a_proxy_of_another_kind_is_an_error_only_where_it_would_be_used() {
        let endpoint = |host: &str| Endpoint { host: host.to_owned(), port: 80, tls: false };
        let proxies = Matcher::builder().all("socks5://proxy.test").no("direct.test").build();
        assert!(ProxyConnector::of(&proxies, &endpoint("server.test")).is_err());
        assert!(ProxyConnector::of(&proxies, &endpoint("direct.test")).unwrap().proxy.is_none());
    }
}
