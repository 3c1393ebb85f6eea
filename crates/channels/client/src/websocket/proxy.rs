use std::io;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{BoxTransport, Connector, TcpConnector};
use crate::Error;
use crate::endpoint::{Endpoint, authority, is_loopback};

/// The longest head of a proxy's response in bytes.
const MAX_HEAD: usize = 8 * 1024;

/// Connects over TCP, through an HTTP proxy if one is configured.
pub(crate) struct ProxyConnector {
    proxy: Option<Intercept>,
}

impl ProxyConnector {
    /// Reads the proxy for the server from the environment.
    pub(crate) fn from_env(endpoint: &Endpoint) -> Result<Self, Error> {
        match is_loopback(&endpoint.host) {
            true => Ok(Self { proxy: None }),
            false => Self::select(&Matcher::from_env(), endpoint),
        }
    }

    /// Uses this proxy for every server.
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        let anywhere = Endpoint { host: "server.invalid".to_owned(), port: 443, tls: true };
        let selected = Self::select(&Matcher::builder().all(url).build(), &anywhere)?;
        match selected.proxy {
            Some(_) => Ok(selected),
            None => Err(Error::configuration("the proxy must be an http:// URL")),
        }
    }

    /// Selects the proxy for a server, if any. An unsupported proxy is an error: to bypass it could
    /// expose the traffic that it guards, and to keep trying would look like a server that is down.
    fn select(proxies: &Matcher, endpoint: &Endpoint) -> Result<Self, Error> {
        let Endpoint { host, port, tls } = endpoint;
        let scheme = if *tls { "https" } else { "http" };
        let uri = format!("{scheme}://{}", authority(host, *port)).parse::<Uri>();
        let proxy = uri.ok().and_then(|uri| proxies.intercept(&uri));
        match proxy {
            Some(proxy) if proxy.uri().scheme_str() != Some("http") || proxy.uri().host().is_none() => {
                let message = "the proxy (from HTTPS_PROXY, HTTP_PROXY or ALL_PROXY) must be an http:// URL";
                Err(Error::configuration(message))
            }
            proxy => Ok(Self { proxy }),
        }
    }
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
            Some(407) => {
                let message = "the proxy requires a name and password (407)";
                Err(io::Error::new(io::ErrorKind::ConnectionRefused, message))
            }
            Some(status) => {
                let message = format!("the proxy answered {status}");
                Err(io::Error::new(io::ErrorKind::ConnectionRefused, message))
            }
            None => Err(io::Error::new(io::ErrorKind::InvalidData, "the proxy's response is not HTTP")),
        }
    }
}

/// Returns a request for a tunnel (RFC 9110, 9.3.6).
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
async fn head(stream: &mut BoxTransport) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the proxy's response is too long"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_proxies_are_accepted() {
        assert!(ProxyConnector::new("http://proxy.test:3128").is_ok());
        for url in ["", "socks5://proxy.test:1080", "https://proxy.test", "http://"] {
            assert!(ProxyConnector::new(url).is_err(), "{url}");
        }
    }

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 \r\nA: HTTP/1.1 200\r\n\r\n"), Some(407));
        for head in [&b""[..], b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 x\r\n\r\n"] {
            assert_eq!(status(head), None);
        }
    }

    #[test]
    fn an_unsupported_proxy_is_an_error_only_for_servers_that_would_use_it() {
        let endpoint = |host: &str| Endpoint { host: host.to_owned(), port: 80, tls: false };
        let proxies = Matcher::builder().all("socks5://proxy.test").no("direct.test").build();
        assert!(ProxyConnector::select(&proxies, &endpoint("server.test")).is_err());
        assert!(ProxyConnector::select(&proxies, &endpoint("direct.test")).unwrap().proxy.is_none());
    }
}
