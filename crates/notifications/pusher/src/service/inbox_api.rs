use internal_notifications_models::{
    ChangesAnswer, Head, InboxPage, MarkRequest, NotificationId, OpId, Position, RealtimeInfo, WriteAnswer,
};
use internal_notifications_service::{InboxCommand, ServiceError, ServiceErrorKind, WriteRequest};
use serde::de::DeserializeOwned;

use crate::api::{CallError, InboxApi};
use crate::{HttpBody, HttpMethod};

/// The calls of a user's inbox.
impl InboxApi {
    pub(crate) async fn realtime(&self) -> Result<RealtimeInfo, CallError> {
        self.get("v1/realtime", &[]).await
    }

    pub(crate) async fn page(&self, limit: usize) -> Result<InboxPage, CallError> {
        self.get("v1/inbox", &[("limit", &limit.to_string())]).await
    }

    /// Returns the newest notifications of those added before a seq.
    pub(crate) async fn older(&self, before: u64, limit: usize) -> Result<InboxPage, CallError> {
        self.get("v1/inbox", &[("before", &before.to_string()), ("limit", &limit.to_string())]).await
    }

    pub(crate) async fn head(&self) -> Result<Head, CallError> {
        self.get("v1/inbox/head", &[]).await
    }

    pub(crate) async fn changes(&self, after: Position, limit: usize) -> Result<ChangesAnswer, CallError> {
        let (seq, limit) = (after.seq.to_string(), limit.to_string());
        let tag = after.tag.map(|tag| tag.to_string());
        let mut query = vec![("after", seq.as_str()), ("limit", limit.as_str())];
        query.extend(tag.as_deref().map(|tag| ("tag", tag)));
        self.get("v1/inbox/changes", &query).await
    }

    pub(crate) async fn write(&self, write: WriteRequest) -> Result<WriteAnswer, CallError> {
        let op = write.op.clone();
        let ids = |ids: Vec<NotificationId>| MarkRequest::ids(ids).with_op(op.clone());
        match write.command {
            InboxCommand::Opened(marked) => self.post("v1/inbox/opened", &ids(marked)).await,
            InboxCommand::Unopened(marked) => self.post("v1/inbox/unopened", &ids(marked)).await,
            InboxCommand::OpenedAll { through, tag } => {
                let mut all = MarkRequest::all().with_op(op);
                (all.through, all.tag) = (through, tag);
                self.post("v1/inbox/opened", &all).await
            }
            InboxCommand::Remove(id) => self.remove(&id, &write.op).await,
            _ => Err(invalid("this version does not support this write").into()),
        }
    }

    async fn remove(&self, id: &NotificationId, op: &OpId) -> Result<WriteAnswer, CallError> {
        let url = self.base().notification("v1/inbox/notifications", id, &[("op", op.as_str())])?;
        self.call(HttpMethod::Delete, url, None).await
    }

    /// Posts a form to an endpoint on any host, with the user's token.
    pub(crate) async fn post_form<T: DeserializeOwned>(
        &self,
        url: &str,
        form: &[(&str, &str)],
    ) -> Result<T, CallError> {
        let form = serde_urlencoded::to_string(form).map_err(|_| invalid("the request cannot be encoded"))?;
        let body = HttpBody::new("application/x-www-form-urlencoded", form);
        self.call(HttpMethod::Post, url.to_owned(), Some(body)).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, CallError> {
        self.call(HttpMethod::Get, self.base().route(path, query), None).await
    }
}

fn invalid(detail: &str) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Invalid, detail)
}
