use std::time::Duration;

use pusher_protocol::limits;
use pusher_signer::Signer;

use super::{HttpApi, Retry};
use crate::endpoint::{EndpointParts, check_segment};
use crate::{Error, ErrorKind, Roots};

/// Builds an [`HttpApi`].
#[derive(Clone, Debug)]
pub struct HttpApiBuilder {
    pub(super) app_id: String,
    pub(super) signer: Signer,
    pub(super) endpoint: EndpointParts,
    timeout: Duration,
    connect_timeout: Duration,
    roots: Roots,
    retry: Retry,
    max_data_bytes: usize,
}

impl HttpApiBuilder {
    pub(super) fn new(app_id: String, signer: Signer) -> Self {
        Self {
            app_id,
            signer,
            endpoint: EndpointParts::new(),
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            roots: Roots::new(),
            retry: Retry::default(),
            max_data_bytes: limits::EVENT_DATA,
        }
    }

    /// The cluster at pusher.com: `eu`, `mt1`, … (Pusher's "clusters").
    pub fn cluster(mut self, cluster: &str) -> Self {
        self.endpoint.host = Some(format!("api-{cluster}.pusher.com"));
        self
    }

    /// The host of another Channels server: a name or an address.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.endpoint.host = Some(host.into());
        self
    }

    /// The port. 443, or 80 without TLS, by default.
    pub fn port(mut self, port: u16) -> Self {
        self.endpoint.port = Some(port);
        self
    }

    /// Whether to use TLS. On by default.
    pub fn tls(mut self, tls: bool) -> Self {
        self.endpoint.tls = tls;
        self
    }

    /// Whom TLS trusts. [`Roots::new`] by default.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// How long one attempt of a call may take, its answer included. 10 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take. 5 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How often and when a call is sent again. [`Retry::default`] by default.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The most bytes of an event's data, as they are sent: those of an encrypted event sealed. 10,240 by default, pusher.com's
    /// limit; other servers and dedicated clusters allow more.
    pub fn max_data_bytes(mut self, bytes: usize) -> Self {
        self.max_data_bytes = bytes;
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when host or app id are missing or malformed.
    pub fn build(self) -> Result<HttpApi, Error> {
        check_segment("app id", &self.app_id)?;
        let endpoint = self.endpoint.finish()?;
        let client = self
            .roots
            .http_client(&endpoint.host)?
            .timeout(self.timeout)
            .connect_timeout(self.connect_timeout)
            .build()
            .map_err(|_| Error::new(ErrorKind::Configuration, "the HTTP client could not be set up"))?;
        Ok(HttpApi {
            client,
            base: endpoint.http_url(),
            app_id: self.app_id,
            signer: self.signer,
            retry: self.retry,
            max_data_bytes: self.max_data_bytes,
        })
    }
}
