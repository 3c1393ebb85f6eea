use std::sync::Arc;
use std::time::Duration;

use pusher_signer::{ChannelAuthorization, UserAuthentication};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::{
    AuthorizationError, AuthorizationRequest, Authorizer, UserAuthenticationRequest, UserAuthenticator,
};
use crate::{Error, ErrorKind, Roots};

/// An answer with an authorization is some hundred bytes; presence data may add a kilobyte.
const MAX_ANSWER: usize = 64 * 1024;

/// Asks the app's auth endpoint: a form-encoded POST of `socket_id` and `channel_name`, as Pusher's own clients send it. As a
/// [`UserAuthenticator`] it asks a user-auth endpoint: `socket_id` alone.
///
/// When the endpoint answers 401, the token is asked for again, fresh, and the request repeated once. Redirects are not
/// followed.
#[derive(Clone)]
pub struct HttpAuthorizer {
    client: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    params: Vec<(String, String)>,
    header_provider: Option<Arc<dyn FieldProvider>>,
    param_provider: Option<Arc<dyn FieldProvider>>,
    tokens: Option<Arc<dyn TokenProvider>>,
}

/// Gives headers or parameters that go with a request to the auth endpoint, anew for each.
#[async_trait::async_trait]
pub trait FieldProvider: Send + Sync {
    /// Their names and values.
    ///
    /// # Errors
    /// Counts as the answer of the authorizer.
    async fn fields(&self) -> Result<Vec<(String, String)>, AuthorizationError>;
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
    params: Vec<(String, String)>,
    header_provider: Option<Arc<dyn FieldProvider>>,
    param_provider: Option<Arc<dyn FieldProvider>>,
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
            params: Vec::new(),
            header_provider: None,
            param_provider: None,
            tokens: None,
            timeout: Duration::from_secs(10),
            roots: Roots::new(),
        }
    }

    /// The endpoint's answer to `form`.
    async fn ask<T: DeserializeOwned>(&self, form: &[(&str, &str)]) -> Result<T, AuthorizationError> {
        let mut answer = self.post(form, false).await?;
        if answer.status() == StatusCode::UNAUTHORIZED && self.tokens.is_some() {
            answer = self.post(form, true).await?;
        }
        let status = answer.status();
        if !status.is_success() {
            return Err(refusal(status));
        }
        let body = read(answer).await?;
        serde_json::from_slice(&body)
            .map_err(|_| AuthorizationError::permanent("the auth endpoint's answer is no authorization"))
    }

    async fn post(&self, form: &[(&str, &str)], fresh: bool) -> Result<Response, AuthorizationError> {
        let given = fields(self.param_provider.as_ref()).await?;
        let params = self.params.iter().chain(&given).map(|(name, value)| (name.as_str(), value.as_str()));
        let form: Vec<_> = form.iter().copied().chain(params).collect();
        let body = serde_urlencoded::to_string(form)
            .map_err(|_| AuthorizationError::permanent("the request cannot be encoded"))?;
        let mut headers = self.headers.clone();
        for (name, value) in fields(self.header_provider.as_ref()).await? {
            let (name, value) =
                header(&name, &value).map_err(|error| AuthorizationError::permanent(error.to_string()))?;
            headers.insert(name, value);
        }
        let token = match &self.tokens {
            Some(tokens) => tokens.token(fresh).await?,
            None => None,
        };
        let mut request = self
            .client
            .post(self.url.clone())
            .headers(headers)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
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
        let (socket_id, channel) = (request.socket_id.as_str(), request.channel.as_str());
        self.ask(&[("socket_id", socket_id), ("channel_name", channel)]).await
    }
}

#[async_trait::async_trait]
impl UserAuthenticator for HttpAuthorizer {
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError> {
        self.ask(&[("socket_id", request.socket_id.as_str())]).await
    }
}

async fn fields(
    provider: Option<&Arc<dyn FieldProvider>>,
) -> Result<Vec<(String, String)>, AuthorizationError> {
    match provider {
        Some(provider) => provider.fields().await,
        None => Ok(Vec::new()),
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let wrong = |message: &str| Error::new(ErrorKind::Configuration, message);
    let name = HeaderName::try_from(name).map_err(|_| wrong("a header's name is invalid"))?;
    let mut value = HeaderValue::try_from(value).map_err(|_| wrong("a header's value is invalid"))?;
    value.set_sensitive(true);
    Ok((name, value))
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

    /// Who gives further headers, for each request; in place of those with the same name. None by default.
    pub fn header_provider(mut self, provider: Arc<dyn FieldProvider>) -> Self {
        self.header_provider = Some(provider);
        self
    }

    /// A form parameter that goes with each request.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Who gives further form parameters, for each request. None by default.
    pub fn param_provider(mut self, provider: Arc<dyn FieldProvider>) -> Self {
        self.param_provider = Some(provider);
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
            let (name, value) = header(name, value)?;
            headers.append(name, value);
        }
        let client = self
            .roots
            .http_client(url.host_str().unwrap_or_default())?
            .timeout(self.timeout)
            .build()
            .map_err(|_| wrong("the HTTP client could not be set up"))?;
        Ok(HttpAuthorizer {
            client,
            url,
            headers,
            params: self.params,
            header_provider: self.header_provider,
            param_provider: self.param_provider,
            tokens: self.tokens,
        })
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
