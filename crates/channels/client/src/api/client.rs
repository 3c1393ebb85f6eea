use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pusher_signer::{Request, Signer};
use reqwest::header::{CONTENT_TYPE, HeaderName};
use reqwest::{Response, Url};

use super::trigger::batch_body;
use super::{BatchEvent, Trigger};
use crate::endpoint::{EndpointParts, check_segment};
use crate::{Error, ErrorKind, Roots};

/// The library's name and version, as Pusher's own libraries send them.
const LIBRARY: HeaderName = HeaderName::from_static("x-pusher-library");
/// How much of an error's text is read.
const MAX_ERROR_TEXT: usize = 512;

/// The HTTP API of a Channels server: publishes events. Cheap to clone; clones share their connections.
///
/// It does not retry: [`Error::is_retryable`] tells whether the same call may succeed later. A call that failed with
/// [`ErrorKind::Timeout`] or [`ErrorKind::Network`] may have been carried out.
#[derive(Clone)]
pub struct HttpApi {
    client: reqwest::Client,
    base: String,
    app_id: String,
    signer: Signer,
}

/// Builds an [`HttpApi`].
#[derive(Clone, Debug)]
pub struct HttpApiBuilder {
    app_id: String,
    signer: Signer,
    endpoint: EndpointParts,
    timeout: Duration,
    connect_timeout: Duration,
    roots: Roots,
}

impl HttpApi {
    /// The API of an app; `signer` holds its key and secret.
    pub fn builder(app_id: impl Into<String>, signer: Signer) -> HttpApiBuilder {
        HttpApiBuilder {
            app_id: app_id.into(),
            signer,
            endpoint: EndpointParts::new(),
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            roots: Roots::new(),
        }
    }

    /// Publishes an event on its channels (`POST /apps/{id}/events`).
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] before anything is sent, when one of Pusher's limits would be broken; otherwise by the
    /// status of the answer.
    pub async fn trigger(&self, event: &Trigger) -> Result<(), Error> {
        self.post("events", event.body()?).await
    }

    /// Publishes up to ten events, in order (`POST /apps/{id}/batch_events`).
    ///
    /// # Errors
    /// As [`trigger`](Self::trigger).
    pub async fn trigger_batch(&self, events: &[BatchEvent]) -> Result<(), Error> {
        self.post("batch_events", batch_body(events)?).await
    }

    async fn post(&self, call: &str, body: Vec<u8>) -> Result<(), Error> {
        let path = format!("/apps/{}/{call}", self.app_id);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let request = Request { method: "POST", path: &path, query: &[], body: Some(&body) };
        let query = self
            .signer
            .sign_request(&request, now)
            .map_err(|error| Error::new(ErrorKind::Configuration, error.to_string()))?;
        let mut url = Url::parse(&format!("{}{path}", self.base)).map_err(|_| unusable())?;
        url.query_pairs_mut().extend_pairs(query);
        let answer = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(LIBRARY, concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")))
            .body(body)
            .send()
            .await
            .map_err(|error| unreachable_server(&error))?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(refusal(answer).await),
        }
    }
}

fn unreachable_server(error: &reqwest::Error) -> Error {
    match error.is_timeout() {
        true => Error::new(ErrorKind::Timeout, "the HTTP API did not answer in time"),
        false => Error::new(ErrorKind::Network, "the HTTP API could not be reached"),
    }
}

fn unusable() -> Error {
    Error::new(ErrorKind::Configuration, "the HTTP API's URL cannot be built")
}

/// The error of an answer. A 401's text is left out: it repeats what was signed.
async fn refusal(mut answer: Response) -> Error {
    let status = answer.status().as_u16();
    let kind = ErrorKind::of_status(status);
    let mut text = Vec::new();
    if kind != ErrorKind::Unauthorized {
        while let Ok(Some(chunk)) = answer.chunk().await {
            text.extend(chunk.iter().take(MAX_ERROR_TEXT - text.len()));
            if text.len() == MAX_ERROR_TEXT {
                break;
            }
        }
    }
    let text: String = String::from_utf8_lossy(&text).chars().filter(|char| !char.is_control()).collect();
    let message = match (kind, text.trim()) {
        (ErrorKind::Unauthorized, _) => {
            "the HTTP API answered 401: key, secret or clock are not right".to_owned()
        }
        (_, "") => format!("the HTTP API answered {status}"),
        (_, text) => format!("the HTTP API answered {status}: {text}"),
    };
    Error::new(kind, message).with_code(Some(status))
}

impl HttpApiBuilder {
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

    /// How long one call may take, its answer included. 10 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take. 5 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
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
        Ok(HttpApi { client, base: endpoint.http_url(), app_id: self.app_id, signer: self.signer })
    }
}

impl std::fmt::Debug for HttpApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpApi")
            .field("base", &self.base)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
