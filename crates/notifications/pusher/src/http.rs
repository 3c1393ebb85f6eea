mod reqwest;

use std::fmt;

use async_trait::async_trait;
use internal_notifications_service::ServiceError;

pub(crate) use self::reqwest::ReqwestHttp;

/// The most bytes of an answer that are read; the server ends its pages at 1 MiB, but for a single larger record.
pub const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// Carries requests to the inbox server. The default is reqwest; a test or a simulation may put something else in its place.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends one request and reads the whole answer, whatever its status. Redirects are not followed. The call may be dropped midway.
    ///
    /// # Errors
    /// [`Unavailable`] when there is no answer, [`Protocol`] when it has more than [`MAX_ANSWER`] bytes.
    ///
    /// [`Unavailable`]: internal_notifications_service::ServiceErrorKind::Unavailable
    /// [`Protocol`]: internal_notifications_service::ServiceErrorKind::Protocol
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, ServiceError>;
}

/// A request. `Debug` shows neither token nor body.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// What to do.
    pub method: HttpMethod,
    /// The whole URL, with its query.
    pub url: String,
    /// The token of `Authorization: Bearer …`: visible ASCII characters.
    pub bearer: String,
    /// The body, for those that have one.
    pub body: Option<HttpBody>,
}

/// The methods that the inbox server's routes have.
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

/// A request's body. `Debug` shows only its length.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpBody {
    /// `application/json` or `application/x-www-form-urlencoded`.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// An answer. `Debug` does not show its body.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status: 200, 404, …
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
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

impl fmt::Debug for HttpAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAnswer").field("status", &self.status).field("bytes", &self.body.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_token_nor_body() {
        let body = HttpBody { content_type: "application/json", bytes: b"hidden".to_vec() };
        let request = HttpRequest {
            method: HttpMethod::Post,
            url: "http://localhost/".into(),
            bearer: "hidden".into(),
            body: Some(body),
        };
        let answer = HttpAnswer { status: 200, body: b"hidden".to_vec() };
        let text = format!("{request:?} {answer:?}");
        assert!(!text.contains("hidden") && !text.contains("104"), "{text}");
    }
}
