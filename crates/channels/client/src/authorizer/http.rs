use std::sync::Arc;
use std::time::Duration;

use pusher_protocol::Object;
use pusher_signer::{ChannelAuthorization, UserAuthentication};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::{
    AuthorizationError, AuthorizationRequest, Authorizer, UserAuthenticationRequest, UserAuthenticator,
};
use crate::connect_error::http_error;
use crate::proxy::ProxySource;
use crate::{Error, ErrorKind, Roots};

/// The largest answer that is read. An authorization has some hundred bytes; presence data adds up
/// to 1 KB.
const MAX_ANSWER: usize = 64 * 1024;

/// An authorizer that calls the app's auth endpoint: a form-encoded POST of `socket_id` and
/// `channel_name`, as Pusher's own clients send it. As a [`UserAuthenticator`] it posts `socket_id`
/// to a user-auth endpoint.
///
/// If the endpoint answers 401, the request is repeated once with a fresh token. Redirects are not
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

/// Provides headers or form parameters for each request to the auth endpoint.
#[async_trait::async_trait]
pub trait FieldProvider: Send + Sync {
    /// Returns names and values.
    ///
    /// # Errors
    /// An error becomes the error of the authorizer.
    async fn fields(&self) -> Result<Vec<(String, String)>, AuthorizationError>;
}

/// Provides the bearer token for requests to the auth endpoint.
#[async_trait::async_trait]
pub trait TokenProvider: Send + Sync {
    /// Returns the token, or `None` to send no `Authorization` header. `fresh` is true if the
    /// endpoint rejected the previous token: do not return a cached one.
    ///
    /// # Errors
    /// An error becomes the error of the authorizer.
    async fn token(&self, fresh: bool) -> Result<Option<String>, AuthorizationError>;
}

#[async_trait::async_trait]
impl<P: FieldProvider + ?Sized> FieldProvider for Arc<P> {
    async fn fields(&self) -> Result<Vec<(String, String)>, AuthorizationError> {
        (**self).fields().await
    }
}

#[async_trait::async_trait]
impl<P: TokenProvider + ?Sized> TokenProvider for Arc<P> {
    async fn token(&self, fresh: bool) -> Result<Option<String>, AuthorizationError> {
        (**self).token(fresh).await
    }
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
    proxy: ProxySource,
}

impl HttpAuthorizer {
    /// Creates a builder for the endpoint at `url` (http or https).
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
            proxy: ProxySource::System,
        }
    }

    /// Posts `form` and parses the answer.
    async fn call<T: DeserializeOwned>(&self, form: &[(&str, &str)]) -> Result<T, AuthorizationError> {
        let mut answer = self.post(form, false).await?;
        if answer.status() == StatusCode::UNAUTHORIZED && self.tokens.is_some() {
            answer = self.post(form, true).await?;
        }
        let status = answer.status();
        if !status.is_success() {
            return Err(error_of(status));
        }
        let body = read(answer).await?;
        let Object(answer) = serde_json::from_slice(&body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message =
                format!("the auth endpoint's answer is not an authorization (line {line}, column {column})");
            AuthorizationError::permanent(message)
        })?;
        Ok(answer)
    }

    async fn post(&self, form: &[(&str, &str)], fresh: bool) -> Result<Response, AuthorizationError> {
        let provided = fields(self.param_provider.as_ref()).await?;
        let params = self.params.iter().chain(&provided).map(|(name, value)| (name.as_str(), value.as_str()));
        let form: Vec<_> = form.iter().copied().chain(params).collect();
        let body = serde_urlencoded::to_string(form).map_err(|error| {
            AuthorizationError::permanent("the form cannot be encoded").with_source(error)
        })?;
        let mut headers = self.headers.clone();
        for (name, value) in fields(self.header_provider.as_ref()).await? {
            let (name, value) = header(&name, &value).map_err(|error| {
                AuthorizationError::permanent("the header provider returned an invalid header")
                    .with_source(error)
            })?;
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
            true => AuthorizationError::permanent("the token contains characters that a header cannot hold"),
            false => AuthorizationError::retryable("the auth endpoint could not be reached")
                .with_source(http_error(error)),
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
        self.call(&[("socket_id", socket_id), ("channel_name", channel)]).await
    }
}

#[async_trait::async_trait]
impl UserAuthenticator for HttpAuthorizer {
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError> {
        self.call(&[("socket_id", request.socket_id.as_str())]).await
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
    let invalid = |part: &str| Error::configuration(format!("the {part} of a header is invalid"));
    let name = HeaderName::try_from(name).map_err(|_| invalid("name"))?;
    let mut value = HeaderValue::try_from(value).map_err(|_| invalid("value"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn error_of(status: StatusCode) -> AuthorizationError {
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
    while let Some(chunk) = answer.chunk().await.map_err(|error| {
        AuthorizationError::retryable("the auth endpoint's answer is incomplete")
            .with_source(error.without_url())
    })? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(AuthorizationError::permanent("the auth endpoint's answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl HttpAuthorizerBuilder {
    /// Sets the provider of the bearer token. None by default.
    pub fn token_provider(mut self, tokens: impl TokenProvider + 'static) -> Self {
        self.tokens = Some(Arc::new(tokens));
        self
    }

    /// Adds a header to each request.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets a provider of headers, which replace headers of the same name. None by default.
    pub fn header_provider(mut self, provider: impl FieldProvider + 'static) -> Self {
        self.header_provider = Some(Arc::new(provider));
        self
    }

    /// Adds a form parameter to each request.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Sets a provider of form parameters. None by default.
    pub fn param_provider(mut self, provider: impl FieldProvider + 'static) -> Self {
        self.param_provider = Some(Arc::new(provider));
        self
    }

    /// Sets the timeout of one request, including connection and answer. 10 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the certificate authorities that TLS trusts. [`Roots::new`] by default.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Sets the proxy, as [`ClientBuilder::proxy`](crate::ClientBuilder::proxy) does.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxySource::Url(url.into());
        self
    }

    /// Builds the authorizer.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Configuration`] if the URL does not begin with http:// or https://, or
    /// a header is invalid.
    pub fn build(self) -> Result<HttpAuthorizer, Error> {
        let url = Url::parse(&self.url).map_err(|error| {
            Error::configuration("the auth endpoint's URL is malformed").with_cause(error)
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::configuration("the auth endpoint's URL must begin with http:// or https://"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (name, value) = header(name, value)?;
            headers.append(name, value);
        }
        let client = self
            .roots
            .http_client_through(&self.proxy, url.host_str().unwrap_or_default())?
            .timeout(self.timeout)
            .build()
            .map_err(|error| Error::configuration("the HTTP client cannot be set up").with_cause(error))?;
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
