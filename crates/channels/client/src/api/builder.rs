use std::time::Duration;

use pusher_protocol::limits;
use pusher_signer::Signer;

use super::http::Http;
use super::{HttpApi, Retry};
use crate::endpoint::{EndpointParts, check_path_prefix, check_segment};
use crate::proxy::ProxySource;
use crate::{Error, Roots};

/// Builds an [`HttpApi`]. `Debug` shows neither the secret nor the proxy.
#[derive(Clone)]
pub struct HttpApiBuilder {
    pub(super) app_id: String,
    pub(super) signer: Signer,
    pub(super) endpoint: EndpointParts,
    path_prefix: String,
    timeout: Duration,
    connect_timeout: Duration,
    roots: Roots,
    proxy: ProxySource,
    retry: Retry,
    max_data_bytes: usize,
}

impl HttpApiBuilder {
    pub(super) fn new(app_id: String, signer: Signer) -> Self {
        Self {
            app_id,
            signer,
            endpoint: EndpointParts::new(),
            path_prefix: String::new(),
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            roots: Roots::new(),
            proxy: ProxySource::System,
            retry: Retry::default(),
            max_data_bytes: limits::EVENT_DATA,
        }
    }

    /// Connects to a cluster of pusher.com, such as `eu` or `mt1` (Pusher's "clusters").
    pub fn cluster(mut self, cluster: &str) -> Self {
        self.endpoint.host = Some(format!("api-{cluster}.pusher.com"));
        self
    }

    /// Connects to another Channels server: a host name or an IP address.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.endpoint.host = Some(host.into());
        self
    }

    /// Sets the port. 443 by default, 80 without TLS.
    pub fn port(mut self, port: u16) -> Self {
        self.endpoint.port = Some(port);
        self
    }

    /// Turns TLS on or off. On by default.
    pub fn tls(mut self, tls: bool) -> Self {
        self.endpoint.tls = tls;
        self
    }

    /// Sets the path before `/apps/…` in the URL, for a server behind a proxy that removes it. It
    /// is not signed. Empty by default.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// Sets the certificate authorities that TLS trusts. [`Roots::new`] by default.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Sets the proxy: `http://host:port`, `https://…`, `socks5://…` or `socks5h://…`, before the
    /// host `name:password@` where needed. By default as for the WebSocket client: the environment
    /// decides, or else the settings of macOS or Windows, except for a server on this machine.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxySource::Url(url.into());
        self
    }

    /// Sets the timeout of one attempt, including the response. 10 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the timeout for connecting. 5 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the number of attempts and the waits between them. [`Retry::default`] by default.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the largest data of an event in bytes; for encrypted channels after encryption. 10,240
    /// by default, the limit of pusher.com; other servers and dedicated clusters allow more.
    pub fn max_data_bytes(mut self, bytes: usize) -> Self {
        self.max_data_bytes = bytes;
        self
    }

    /// Builds the client. It sends nothing yet.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if host or app id are
    /// missing or malformed, the proxy is no URL, or certificates cannot be loaded.
    pub fn build(self) -> Result<HttpApi, Error> {
        check_segment("app id", &self.app_id)?;
        let endpoint = self.endpoint.finish()?;
        let client = self
            .roots
            .http_client_through(&self.proxy, &endpoint.host)?
            .timeout(self.timeout)
            .connect_timeout(self.connect_timeout)
            .build()
            .map_err(|error| Error::configuration("the HTTP client cannot be set up").with_cause(error))?;
        let base = endpoint.http_url() + &check_path_prefix(&self.path_prefix)?;
        let http = Http { client, base, signer: self.signer, retry: self.retry };
        Ok(HttpApi { http, app_id: self.app_id, max_data_bytes: self.max_data_bytes })
    }
}

impl std::fmt::Debug for HttpApiBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpApiBuilder")
            .field("app_id", &self.app_id)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
