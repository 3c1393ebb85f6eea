use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_service::ServiceError;
use pusher_client::Roots;

use super::InboxClient;
use crate::HttpClient;
use crate::api::BaseUrl;
use crate::http::ReqwestClient;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Builds an [`InboxClient`]. The `Debug` output shows neither the key nor the proxy.
#[derive(Clone)]
pub struct InboxClientBuilder {
    url: String,
    key: String,
    roots: Roots,
    proxy: Option<String>,
    timeout: Duration,
    http_client: Option<Arc<dyn HttpClient>>,
}

impl InboxClientBuilder {
    pub(super) fn new(url: String, key: String) -> Self {
        Self { url, key, roots: Roots::new(), proxy: None, timeout: REQUEST_TIMEOUT, http_client: None }
    }

    /// Sets the certificate authorities that TLS trusts. [`Roots::new`] by default.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Sets the proxy: `http://host:port`, `https://…`, `socks5://…` or `socks5h://…`, before the
    /// host `name:password@` where needed. By default the environment decides, or else the settings
    /// of macOS or Windows, except for a server on this machine.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Sets how long one request may take, with its connection (at most 5 s) and its response. 15 s
    /// by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the client that sends the requests, which replaces TLS, proxy and timeout. reqwest by
    /// default.
    pub fn http_client(mut self, client: impl HttpClient + 'static) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// Builds the client. It sends nothing yet.
    ///
    /// # Errors
    /// Returns [`Configuration`](internal_notifications_service::ServiceErrorKind::Configuration)
    /// if the URL, the key or the proxy cannot be used, or certificates cannot be loaded.
    pub fn build(self) -> Result<InboxClient, ServiceError> {
        let base = BaseUrl::parse(&self.url)?;
        let http_client = match self.http_client {
            Some(client) => client,
            None => {
                let proxy = self.proxy.as_deref();
                Arc::new(ReqwestClient::new(base.host(), &self.roots, proxy, self.timeout)?)
            }
        };
        InboxClient::with_http_client(http_client, base, self.key, self.timeout)
    }
}

impl fmt::Debug for InboxClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxClientBuilder")
            .field("roots", &self.roots)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
