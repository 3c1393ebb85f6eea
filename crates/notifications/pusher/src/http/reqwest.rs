use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::Roots;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Method, Response};

use super::{Http, HttpAnswer, HttpMethod, HttpRequest, MAX_ANSWER};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The default [`Http`]: reqwest with the TLS of `pusher-client`.
#[derive(Debug)]
pub(crate) struct ReqwestHttp(Client);

impl ReqwestHttp {
    /// For a server at `host`. `timeout` is for one request, its connection and answer included.
    pub(crate) fn new(host: &str, roots: &Roots, timeout: Duration) -> Result<Self, ServiceError> {
        let configuration = |detail: String| ServiceError::new(ServiceErrorKind::Configuration, detail);
        let builder = roots.http_client(host).map_err(|error| configuration(error.to_string()))?;
        let client = builder.connect_timeout(CONNECT_TIMEOUT.min(timeout)).timeout(timeout).build();
        client.map(Self).map_err(|_| configuration("the HTTP client could not be set up".to_owned()))
    }
}

#[async_trait]
impl Http for ReqwestHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, ServiceError> {
        let method = match request.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Delete => Method::DELETE,
        };
        let mut sent = self
            .0
            .request(method, request.url)
            .bearer_auth(request.bearer)
            .header(ACCEPT, "application/json, application/problem+json");
        if let Some(body) = request.body {
            sent = sent.header(CONTENT_TYPE, body.content_type).body(body.bytes);
        }
        let answer = sent.send().await.map_err(|error| match error.is_builder() {
            true => ServiceError::new(ServiceErrorKind::Configuration, "the request cannot be sent as it is"),
            false if error.is_timeout() => unavailable("the server did not answer in time"),
            false => unavailable("the server cannot be reached"),
        })?;
        read(answer).await
    }
}

async fn read(mut answer: Response) -> Result<HttpAnswer, ServiceError> {
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| unavailable("the server's answer broke off"))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(ServiceError::new(ServiceErrorKind::Protocol, "the server's answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpAnswer { status, body })
}

fn unavailable(detail: &str) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unavailable, detail)
}
