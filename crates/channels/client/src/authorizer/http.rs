use std::sync::Arc;
use std::time::Duration;

use pusher_signer::ChannelAuthorization;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode, Url};

use super::{AuthorizationError, AuthorizationRequest, Authorizer};
use crate::{Error, ErrorKind, Roots};

/// An answer with an authorization is some hundred bytes; presence data may add a kilobyte.
const MAX_ANSWER: usize = 64 * 1024;

/// Asks the app's auth endpoint: a form-encoded POST of `socket_id` and `channel_name`, as Pusher's own clients send it.
///
/// When the endpoint answers 401, the token is asked for again, fresh, and the request repeated once. Redirects are not
/// followed.
#[derive(Clone)]
pub struct HttpAuthorizer {
    client: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    tokens: Option<Arc<dyn TokenProvider>>,
}

/// Gives the bearer token that goes with a request to the auth endpoint.
#[async_trait::async_trait]
pub trait TokenProvider: Send + Sync {
    /// The token, or none to send no `Authorization` header. `fresh` is set when the last one was refused: a cached one
    /// will not do.
    ///
    /// # Errors
    /// Counts as the answer of the authorizer.
    async fn token(&self, fresh: bool) -> Result<Option<String>, AuthorizationError>;
}

/// Builds an [`HttpAuthorizer`].
#[derive(Clone)]
pub struct HttpAuthorizerBuilder {
    url: String,
    headers: Vec<(String, String)>,
    tokens: Option<Arc<dyn TokenProvider>>,
    timeout: Duration,
    roots: Roots,
}

impl HttpAuthorizer {
    /// An authorizer for the endpoint at `url` (http or https).
    pub fn builder(url: impl Into<String>) -> HttpAuthorizerBuilder {
        HttpAuthorizerBuilder {
            url: url.into(),
            headers: Vec::new(),
            tokens: None,
            timeout: Duration::from_secs(10),
            roots: Roots::new(),
        }
    }

    async fn ask(&self, body: &str, fresh: bool) -> Result<Response, AuthorizationError> {
        let token = match &self.tokens {
            Some(tokens) => tokens.token(fresh).await?,
            None => None,
        };
        let mut request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.to_owned());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.map_err(|error| match error.is_builder() {
            true => AuthorizationError::permanent("the token cannot stand in a header"),
            false => AuthorizationError::retryable("the auth endpoint could not be reached"),
        })
    }
}

#[async_trait::async_trait]
impl Authorizer for HttpAuthorizer {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        let form = [("socket_id", request.socket_id.as_str()), ("channel_name", request.channel.as_str())];
        let body = serde_urlencoded::to_string(form)
            .map_err(|_| AuthorizationError::permanent("the request cannot be encoded"))?;
        let mut answer = self.ask(&body, false).await?;
        if answer.status() == StatusCode::UNAUTHORIZED && self.tokens.is_some() {
            answer = self.ask(&body, true).await?;
        }
        let status = answer.status();
        if !status.is_success() {
            return Err(refusal(status));
        }
        let body = read(answer).await?;
        serde_json::from_slice(&body)
            .map_err(|_| AuthorizationError::permanent("the auth endpoint's answer is no authorization"))
    }
}

fn refusal(status: StatusCode) -> AuthorizationError {
    let message = format!("the auth endpoint answered {}", status.as_u16());
    match ErrorKind::of_status(status.as_u16()) {
        ErrorKind::Unauthorized => AuthorizationError::unauthorized(message),
        ErrorKind::Forbidden => AuthorizationError::forbidden(message),
        kind if kind.is_retryable() => AuthorizationError::retryable(message),
        _ => AuthorizationError::permanent(message),
    }
}

async fn read(mut answer: Response) -> Result<Vec<u8>, AuthorizationError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|_| AuthorizationError::retryable("the auth endpoint's answer broke off"))?
    {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(AuthorizationError::permanent("the auth endpoint's answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl HttpAuthorizerBuilder {
    /// Who gives the bearer token. None by default.
    pub fn token_provider(mut self, tokens: Arc<dyn TokenProvider>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// A header that goes with each request.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How long one request may take, its connection and answer included. 10 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whom TLS trusts. [`Roots::new`] by default.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// The authorizer.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the URL is not one of http or https, or a header is none.
    pub fn build(self) -> Result<HttpAuthorizer, Error> {
        let wrong = |message: &str| Error::new(ErrorKind::Configuration, message);
        let url = Url::parse(&self.url).map_err(|_| wrong("the auth endpoint's URL cannot be read"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("the auth endpoint's URL must begin with http:// or https://"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name).map_err(|_| wrong("a header's name is invalid"))?;
            let mut value = HeaderValue::try_from(value).map_err(|_| wrong("a header's value is invalid"))?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        let client = self
            .roots
            .http_client(url.host_str().unwrap_or_default())?
            .timeout(self.timeout)
            .build()
            .map_err(|_| wrong("the HTTP client could not be set up"))?;
        Ok(HttpAuthorizer { client, url, headers, tokens: self.tokens })
    }
}

impl std::fmt::Debug for HttpAuthorizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpAuthorizer").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for HttpAuthorizerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpAuthorizerBuilder").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
