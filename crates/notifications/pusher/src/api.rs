#[cfg(feature = "websocket")]
mod inbox;

use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::{NotificationId, PushRequest, Receipt, Retraction};
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::base_url::BaseUrl;
use crate::bearer::Bearer;
use crate::refusal::Refusal;
use crate::{Http, HttpBody, HttpMethod, HttpRequest, MAX_ANSWER};

/// The inbox server's routes, typed: pushing and retracting here, the user's inbox in a module of its own. Each call is one request, and a second one with a fresh token if the first was answered 401.
pub(crate) struct InboxApi {
    http: Arc<dyn Http>,
    base: BaseUrl,
    bearer: Arc<dyn Bearer>,
    timeout: Duration,
}

impl InboxApi {
    /// `timeout` is for a whole call, asking for the token included.
    pub(crate) fn new(
        http: Arc<dyn Http>,
        base: BaseUrl,
        bearer: Arc<dyn Bearer>,
        timeout: Duration,
    ) -> Self {
        Self { http, base, bearer, timeout }
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    pub(crate) async fn push(&self, request: &PushRequest) -> Result<Receipt, Refusal> {
        self.post("v1/notifications", request).await
    }

    pub(crate) async fn retract(&self, id: &NotificationId) -> Result<Retraction, Refusal> {
        let url = self.base.notification("v1/notifications", id, &[]).ok_or_else(unnameable)?;
        self.call(HttpMethod::Delete, url, None).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Refusal> {
        let bytes = serde_json::to_vec(body).map_err(|_| unencodable())?;
        let body = HttpBody { content_type: "application/json", bytes };
        self.call(HttpMethod::Post, self.base.route(path, &[]), Some(body)).await
    }

    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: HttpMethod,
        url: String,
        body: Option<HttpBody>,
    ) -> Result<T, Refusal> {
        let call = self.authorized(method, url, body);
        let answer = timeout(self.timeout, call).await.map_err(|_| {
            ServiceError::new(ServiceErrorKind::Unavailable, "the call was not answered in time")
        })??;
        serde_json::from_slice(&answer).map_err(|_| {
            ServiceError::new(ServiceErrorKind::Protocol, "the server's answer is not what was asked for")
                .into()
        })
    }

    async fn authorized(
        &self,
        method: HttpMethod,
        url: String,
        body: Option<HttpBody>,
    ) -> Result<Vec<u8>, Refusal> {
        let token = self.bearer.token(false).await?;
        let first = self.once(method, url.clone(), &token, body.clone()).await;
        match first {
            Err(refusal) if refusal.error.kind() == ServiceErrorKind::Unauthorized => {
                let fresh = self.bearer.token(true).await?;
                if fresh == token { Err(refusal) } else { self.once(method, url, &fresh, body).await }
            }
            answer => answer,
        }
    }

    async fn once(
        &self,
        method: HttpMethod,
        url: String,
        token: &str,
        body: Option<HttpBody>,
    ) -> Result<Vec<u8>, Refusal> {
        let request = HttpRequest { method, url, bearer: token.to_owned(), body };
        let answer = self.http.send(request).await?;
        if answer.body.len() > MAX_ANSWER {
            return Err(
                ServiceError::new(ServiceErrorKind::Protocol, "the server's answer is too long").into()
            );
        }
        match answer.status {
            200..=299 => Ok(answer.body),
            _ => Err(Refusal::of(&answer, token)),
        }
    }
}

pub(crate) fn unencodable() -> ServiceError {
    ServiceError::new(ServiceErrorKind::Invalid, "the request cannot be encoded")
}

pub(crate) fn unnameable() -> ServiceError {
    ServiceError::new(ServiceErrorKind::Invalid, "no URL can name this id")
}
