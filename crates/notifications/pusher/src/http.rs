mod reqwest;
mod retry_after;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_service::ServiceError;

pub(crate) use self::reqwest::ReqwestClient;

/// The most bytes of a response body that are read: 8 MiB.
///
/// The server ends its pages at 1 MiB, except for a single record that is larger.
pub const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// Sends requests to the inbox server.
///
/// The default is reqwest. Tests and simulations can put their own in its place.
#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends one request and reads the whole response, whatever its status.
    ///
    /// Redirects are not followed. The future may be dropped at any point.
    ///
    /// # Errors
    /// Returns [`Unavailable`] if there is no response, and [`Protocol`] if its body has more than
    /// [`MAX_RESPONSE_BYTES`] bytes.
    ///
    /// [`Unavailable`]: internal_notifications_service::ServiceErrorKind::Unavailable
    /// [`Protocol`]: internal_notifications_service::ServiceErrorKind::Protocol
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ServiceError>;
}

#[async_trait]
impl<C: HttpClient + ?Sized> HttpClient for Arc<C> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ServiceError> {
        (**self).send(request).await
    }
}

/// A request to the inbox server. Its `Debug` output shows neither the token nor the body.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// The whole URL, with its query.
    pub url: String,
    /// The token for `Authorization: Bearer …`: visible ASCII characters without spaces.
    pub bearer_token: String,
    /// The body, if the request has one.
    pub body: Option<HttpBody>,
}

impl HttpRequest {
    /// Creates a request without a body.
    pub fn new(method: HttpMethod, url: impl Into<String>, bearer_token: impl Into<String>) -> Self {
        Self { method, url: url.into(), bearer_token: bearer_token.into(), body: None }
    }

    /// Sets the body.
    pub fn with_body(mut self, body: HttpBody) -> Self {
        self.body = Some(body);
        self
    }
}

/// The HTTP methods that the inbox server's routes use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpMethod {
    /// GET
    Get,
    /// POST
    Post,
    /// DELETE
    Delete,
}

/// The body of a request. Its `Debug` output shows only the length.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpBody {
    /// The media type: `application/json` or `application/x-www-form-urlencoded`.
    pub content_type: &'static str,
    /// The content.
    pub bytes: Vec<u8>,
}

impl HttpBody {
    /// Creates a body.
    pub fn new(content_type: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { content_type, bytes: bytes.into() }
    }
}

/// A response of the inbox server. Its `Debug` output shows only the length of the body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status code: 200, 404, …
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// How long the server asks not to repeat the request, in its `Retry-After` header.
    pub retry_after: Option<Duration>,
}

impl HttpResponse {
    /// Creates a response.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), retry_after: None }
    }

    /// Sets how long the server asks not to repeat the request.
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBody")
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).field("bytes", &self.body.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_contains_neither_token_nor_body() {
        let request = HttpRequest::new(HttpMethod::Post, "http://localhost/", "hidden")
            .with_body(HttpBody::new("application/json", "hidden"));
        let response = HttpResponse::new(200, "hidden");
        let text = format!("{request:?} {response:?}");
        assert!(!text.contains("hidden") && !text.contains("104"), "{text}");
    }
}
