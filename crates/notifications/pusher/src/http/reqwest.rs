use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::Roots;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Method, Response};

use super::{HttpClient, HttpMethod, HttpRequest, HttpResponse, MAX_RESPONSE_BYTES};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The default [`HttpClient`]: reqwest with the TLS settings of `pusher-client`.
#[derive(Debug)]
pub(crate) struct ReqwestClient(Client);

impl ReqwestClient {
    /// Creates a client for the server at `host`.
    ///
    /// `timeout` limits each request, with its connection and its response.
    pub(crate) fn new(host: &str, roots: &Roots, timeout: Duration) -> Result<Self, ServiceError> {
        let configuration = |detail: String| ServiceError::new(ServiceErrorKind::Configuration, detail);
        let builder = roots.http_client(host).map_err(|error| configuration(error.to_string()))?;
        let client = builder.connect_timeout(CONNECT_TIMEOUT.min(timeout)).timeout(timeout).build();
        client.map(Self).map_err(|_| configuration("the HTTP client could not be set up".to_owned()))
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
        let response = sent.send().await.map_err(|error| match error.is_builder() {
            true => ServiceError::new(ServiceErrorKind::Configuration, "the request is malformed"),
            false if error.is_timeout() => unavailable("the server did not answer in time"),
            false => unavailable("the server cannot be reached"),
        })?;
        read(response).await
    }
}

async fn read(mut response: Response) -> Result<HttpResponse, ServiceError> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|_| unavailable("the connection broke off during the response"))?
    {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(ServiceError::new(ServiceErrorKind::Protocol, "the server's response is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse::new(status, body))
}

fn unavailable(detail: &str) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unavailable, detail)
}
