use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::{Roots, http_error};
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Method, Response};

use super::retry_after::retry_after;
use super::{HttpClient, HttpMethod, HttpRequest, HttpResponse, MAX_RESPONSE_BYTES};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The default [`HttpClient`]: reqwest with the TLS settings of `pusher-client`.
#[derive(Debug)]
pub(crate) struct ReqwestClient(Client);

impl ReqwestClient {
    /// Creates a client for the server at `host`, through the proxy at a URL or else the system's.
    ///
    /// `timeout` limits each request, with its connection and its response.
    pub(crate) fn new(
        host: &str,
        roots: &Roots,
        proxy: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, ServiceError> {
        let configuration =
            || ServiceError::new(ServiceErrorKind::Configuration, "the HTTP client could not be set up");
        let builder = roots.http_client_with_proxy(host, proxy);
        let builder = builder.map_err(|error| configuration().with_source(error))?;
        let client = builder.connect_timeout(CONNECT_TIMEOUT.min(timeout)).timeout(timeout).build();
        client.map(Self).map_err(|error| configuration().with_source(error))
    }
}

#[async_trait]
impl HttpClient for ReqwestClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ServiceError> {
        let method = match request.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Delete => Method::DELETE,
        };
        let mut sent = self
            .0
            .request(method, request.url)
            .bearer_auth(request.bearer_token)
            .header(ACCEPT, "application/json, application/problem+json");
        if let Some(body) = request.body {
            sent = sent.header(CONTENT_TYPE, body.content_type).body(body.bytes);
        }
        let response = sent.send().await.map_err(send_error)?;
        read(response).await
    }
}

async fn read(mut response: Response) -> Result<HttpResponse, ServiceError> {
    let status = response.status().as_u16();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = wait.and_then(|value| retry_after(value, SystemTime::now()));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(read_error)? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(ServiceError::new(ServiceErrorKind::Protocol, "the server's response is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    let response = HttpResponse::new(status, body);
    Ok(match wait {
        Some(wait) => response.with_retry_after(wait),
        None => response,
    })
}

fn send_error(error: reqwest::Error) -> ServiceError {
    let error_of = |kind, detail: &str| ServiceError::new(kind, detail);
    let summary = match error.is_builder() {
        true => error_of(ServiceErrorKind::Configuration, "the request is malformed"),
        false if error.is_timeout() => {
            error_of(ServiceErrorKind::Unavailable, "the server did not answer in time")
        }
        false => error_of(ServiceErrorKind::Unavailable, "the server cannot be reached"),
    };
    summary.with_source(http_error(error))
}

fn read_error(error: reqwest::Error) -> ServiceError {
    let detail = "the connection broke off during the response";
    ServiceError::new(ServiceErrorKind::Unavailable, detail).with_source(http_error(error))
}
