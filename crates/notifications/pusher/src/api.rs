use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::{
    ChangesAnswer, Head, InboxPage, MarkRequest, NotificationId, OpId, Position, PushRequest, RealtimeInfo,
    Receipt, WriteAnswer,
};
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::base_url::BaseUrl;
use crate::bearer::Bearer;
use crate::refusal::Refusal;
use crate::{Http, HttpBody, HttpMethod, HttpRequest, MAX_ANSWER};

/// The inbox server's routes, typed. Each call is one request, and a second one with a fresh token if the first was answered 401.
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

    pub(crate) async fn realtime(&self) -> Result<RealtimeInfo, Refusal> {
        self.get("v1/realtime", &[]).await
    }

    pub(crate) async fn page(&self, limit: usize) -> Result<InboxPage, Refusal> {
        self.get("v1/inbox", &[("limit", &limit.to_string())]).await
    }

    pub(crate) async fn head(&self) -> Result<Head, Refusal> {
        self.get("v1/inbox/head", &[]).await
    }

    pub(crate) async fn changes(&self, after: Position, limit: usize) -> Result<ChangesAnswer, Refusal> {
        let (seq, limit) = (after.seq.to_string(), limit.to_string());
        let tag = after.tag.map(|tag| tag.to_string());
        let mut query = vec![("after", seq.as_str()), ("limit", limit.as_str())];
        query.extend(tag.as_deref().map(|tag| ("tag", tag)));
        self.get("v1/inbox/changes", &query).await
    }

    pub(crate) async fn mark_opened(&self, request: &MarkRequest) -> Result<WriteAnswer, Refusal> {
        self.post("v1/inbox/opened", request).await
    }

    pub(crate) async fn mark_unopened(&self, request: &MarkRequest) -> Result<WriteAnswer, Refusal> {
        self.post("v1/inbox/unopened", request).await
    }

    pub(crate) async fn remove(&self, id: &NotificationId, op: &OpId) -> Result<WriteAnswer, Refusal> {
        let url = self.base.notification(id, &[("op", op.as_str())]);
        let url =
            url.ok_or_else(|| ServiceError::new(ServiceErrorKind::Invalid, "no URL can name this id"))?;
        self.call(HttpMethod::Delete, url, None).await
    }

    pub(crate) async fn push(&self, request: &PushRequest) -> Result<Receipt, Refusal> {
        self.post("v1/notifications", request).await
    }

    /// Posts a form to an endpoint anywhere, with the user's token.
    pub(crate) async fn post_form<T: DeserializeOwned>(
        &self,
        url: &str,
        form: &[(&str, &str)],
    ) -> Result<T, Refusal> {
        let form = serde_urlencoded::to_string(form).map_err(|_| unencodable())?;
        let body = HttpBody { content_type: "application/x-www-form-urlencoded", bytes: form.into_bytes() };
        self.call(HttpMethod::Post, url.to_owned(), Some(body)).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Refusal> {
        self.call(HttpMethod::Get, self.base.route(path, query), None).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Refusal> {
        let bytes = serde_json::to_vec(body).map_err(|_| unencodable())?;
        let body = HttpBody { content_type: "application/json", bytes };
        self.call(HttpMethod::Post, self.base.route(path, &[]), Some(body)).await
    }

    async fn call<T: DeserializeOwned>(
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

fn unencodable() -> ServiceError {
    ServiceError::new(ServiceErrorKind::Invalid, "the request cannot be encoded")
}
