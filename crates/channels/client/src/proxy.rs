#[cfg(feature = "websocket")]
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::Error;
#[cfg(feature = "websocket")]
use crate::endpoint::Endpoint;
use crate::endpoint::is_loopback;

/// Where connections find their proxy; the same for WebSocket and HTTP.
#[derive(Clone, Default)]
pub(crate) enum ProxySource {
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` in the environment, in upper or
    /// lower case, or else the settings of macOS or Windows. Not for a server on this machine. A
    /// value of a kind that hyper-util does not know, such as `socks://`, counts as none.
    #[default]
    System,
    /// This URL, for every server.
    Url(String),
}

impl ProxySource {
    /// Selects the proxy for a server, if any. An unsupported proxy is an error: to bypass it could
    /// expose the traffic that it guards, and to keep trying would look like a server that is down.
    #[cfg(feature = "websocket")]
    pub(crate) fn select(&self, endpoint: &Endpoint) -> Result<Option<Intercept>, Error> {
        let proxies = match self {
            Self::System if is_loopback(&endpoint.host) => return Ok(None),
            Self::System => Matcher::from_system(),
            Self::Url(url) => Matcher::builder().all(url).build(),
        };
        match (select(&proxies, endpoint)?, self) {
            (None, Self::Url(_)) => Err(unsupported("it is not the URL of a proxy")),
            (proxy, _) => Ok(proxy),
        }
    }

    /// Configures an HTTP client for a server.
    #[cfg(feature = "http")]
    pub(crate) fn configure(
        &self,
        client: reqwest::ClientBuilder,
        host: &str,
    ) -> Result<reqwest::ClientBuilder, Error> {
        match self {
            Self::System if is_loopback(host) => Ok(client.no_proxy()),
            Self::System => Ok(client),
            Self::Url(url) => {
                // reqwest accepts other schemes, and then connects without a proxy.
                match url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase()).as_deref() {
                    None | Some("http" | "https" | "socks5" | "socks5h") => {}
                    Some(_) => return Err(unsupported("its scheme is not supported")),
                }
                let proxy =
                    reqwest::Proxy::all(url).map_err(|_| unsupported("it is not the URL of a proxy"))?;
                Ok(client.proxy(proxy))
            }
        }
    }
}

#[cfg(feature = "websocket")]
fn select(proxies: &Matcher, endpoint: &Endpoint) -> Result<Option<Intercept>, Error> {
    let scheme = if endpoint.tls { "https" } else { "http" };
    let uri = format!("{scheme}://{}", endpoint.authority()).parse::<http::Uri>();
    let Some(proxy) = uri.ok().and_then(|uri| proxies.intercept(&uri)) else { return Ok(None) };
    let uri = proxy.uri();
    match uri.scheme_str() {
        Some("http" | "socks5" | "socks5h") if uri.host().is_some_and(|host| !host.is_empty()) => {
            Ok(Some(proxy))
        }
        Some(scheme @ ("https" | "socks4" | "socks4a")) => {
            Err(unsupported(&format!("{scheme}:// is not supported")))
        }
        _ => Err(unsupported("it is not the URL of a proxy")),
    }
}

fn unsupported(problem: &str) -> Error {
    Error::configuration(format!(
        "the proxy (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, or set in code) cannot be used: {problem}; use http://, \
         socks5:// or socks5h://"
    ))
}

#[cfg(all(test, feature = "websocket"))]
mod tests {
    use super::*;

    fn endpoint(host: &str) -> Endpoint {
        Endpoint { host: host.to_owned(), port: 80, tls: false }
    }

    #[test]
    fn http_and_socks5_proxies_are_accepted() {
        let select = |url: &str| ProxySource::Url(url.to_owned()).select(&endpoint("server.test"));
        for url in ["http://proxy.test:3128", "socks5://proxy.test", "socks5h://ada:secret@proxy.test:1080"] {
            assert!(select(url).unwrap().is_some(), "{url}");
        }
        for url in ["", "https://proxy.test", "socks4://ada:secret@proxy.test:1080", "ftp://p", "http://"] {
            let error = select(url).unwrap_err().to_string();
            assert!(error.contains("socks5://") && !error.contains("secret"), "{url}: {error}");
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn http_does_not_bypass_a_proxy_of_another_kind() {
        let configure = |url: &str| {
            ProxySource::Url(url.to_owned()).configure(reqwest::Client::builder(), "server.test").is_ok()
        };
        for url in ["proxy.test:3128", "HTTP://proxy.test", "https://proxy.test", "socks5h://proxy.test:1080"]
        {
            assert!(configure(url), "{url}");
        }
        for url in ["socks://proxy.test:1080", "socks4://proxy.test", "ftp://proxy.test"] {
            assert!(!configure(url), "{url}");
        }
    }

    #[test]
    fn an_unsupported_proxy_is_an_error_only_for_servers_that_would_use_it() {
        let proxies = Matcher::builder().all("socks4://proxy.test").no("direct.test").build();
        let error = select(&proxies, &endpoint("server.test")).unwrap_err().to_string();
        assert!(error.contains("socks4:// is not supported"), "{error}");
        assert!(select(&proxies, &endpoint("direct.test")).unwrap().is_none());
    }
}
