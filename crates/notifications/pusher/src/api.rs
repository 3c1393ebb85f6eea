//! The inbox server's routes, as typed calls.

mod base_url;
mod call_error;
pub(crate) mod retry;
mod token_source;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use internal_notifications_models::{NotificationId, PushRequest, Receipt, Retraction};
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

pub(crate) use base_url::BaseUrl;
pub(crate) use call_error::CallError;
use call_error::parse_object;
pub(crate) use token_source::{Token, TokenSource};

use crate::{HttpBody, HttpClient, HttpMethod, HttpRequest, HttpResponse, MAX_RESPONSE_BYTES};

/// Calls the inbox server's routes.
///
/// Pushing and retracting are here; the service adds the calls of a user's inbox. A call sends one
/// request, and a second one with a fresh token if the first is answered with 401.
pub(crate) struct InboxApi {
    http_client: Arc<dyn HttpClient>,
    base: BaseUrl,
    tokens: Arc<dyn TokenSource>,
    timeout: Duration,
    /// Whether the token was refused for the last request that is no read. Then an answered read
    /// does not show that the token is good.
    is_refused: AtomicBool,
}

impl InboxApi {
    /// Creates an API client. `timeout` limits each call, with getting the token.
    pub(crate) fn new(
        http_client: Arc<dyn HttpClient>,
        base: BaseUrl,
        tokens: Arc<dyn TokenSource>,
        timeout: Duration,
    ) -> Self {
        Self { http_client, base, tokens, timeout, is_refused: AtomicBool::new(false) }
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Allows another token to be asked for now, though the last ones were refused.
    #[cfg(feature = "websocket")]
    pub(crate) fn forget_refusals(&self) {
        self.tokens.forget_refusals();
    }

    pub(crate) async fn push(&self, request: &PushRequest) -> Result<Receipt, CallError> {
        self.post("v1/notifications", request).await
    }

    pub(crate) async fn retract(&self, id: &NotificationId) -> Result<Retraction, CallError> {
        let url = self.base.notification("v1/notifications", id, &[])?;
        self.call(HttpMethod::Delete, url, None).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CallError> {
        let bytes = serde_json::to_vec(body)
            .map_err(|_| ServiceError::new(ServiceErrorKind::Invalid, "the request cannot be encoded"))?;
        let body = HttpBody::new("application/json", bytes);
        self.call(HttpMethod::Post, self.base.route(path, &[]), Some(body)).await
    }

    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: HttpMethod,
        url: String,
        body: Option<HttpBody>,
    ) -> Result<T, CallError> {
        let is_read = matches!(method, HttpMethod::Get);
        let call = self.send_authorized(method, url, body);
        let outcome = timeout(self.timeout, call).await.map_err(|_| {
            ServiceError::new(ServiceErrorKind::Unavailable, "the server did not answer in time")
        })?;
        if !is_read {
            let is_refused = matches!(&outcome, Err(error) if error.kind() == ServiceErrorKind::Unauthorized);
            self.is_refused.store(is_refused, Ordering::Relaxed);
        }
        let response = outcome?;
        let answer =
            parse_object(&response.body).map_err(|error| CallError::of_body(response.status, &error))?;
        if !self.is_refused.load(Ordering::Relaxed) {
            self.tokens.forget_refusals();
        }
        Ok(answer)
    }

    async fn send_authorized(
        &self,
        method: HttpMethod,
        url: String,
        body: Option<HttpBody>,
    ) -> Result<HttpResponse, CallError> {
        let token = self.tokens.token().await?;
        let first = self.send(method, url.clone(), &token.text, body.clone()).await;
        match first {
            Err(error) if error.kind() == ServiceErrorKind::Unauthorized => {
                match self.tokens.replacement(&token).await? {
                    Some(fresh) => self.send(method, url, &fresh.text, body).await,
                    None => Err(error),
                }
            }
            outcome => outcome,
        }
    }

    async fn send(
        &self,
        method: HttpMethod,
        url: String,
        token: &str,
        body: Option<HttpBody>,
    ) -> Result<HttpResponse, CallError> {
        let mut request = HttpRequest::new(method, url, token);
        request.body = body;
        let response = self.http_client.send(request).await?;
        if response.body.len() > MAX_RESPONSE_BYTES {
            let detail = "the server's response is too long";
            return Err(ServiceError::new(ServiceErrorKind::Protocol, detail).into());
        }
        match response.status {
            200..=299 => Ok(response),
            _ => Err(CallError::of_response(&response, token)),
        }
    }
}
