use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use internal_notifications_models::{
    MarkRequest, MarkTarget, NotificationId, OpId, Problem, UserId, WriteAnswer,
};

use crate::Clock;
use crate::http::AppState;
use crate::http::extract::{JsonBody, OwnInbox, PathId, Query};
use crate::http::openapi::{NotFound, Rejected};
use crate::http::problem::ApiError;
use crate::store::{InboxCommand, Write};

/// Marks notifications opened: some by id, or all up to a position.
#[utoipa::path(
    post,
    path = "/v1/inbox/opened",
    tag = "Inbox",
    security(("token" = [])),
    request_body = MarkRequest,
    responses(
        (status = 200, description = "The seq of the change, if one was made, and the head.", body = WriteAnswer),
        (status = 409, description = "The change at `through` has another tag on the server.", body = Problem, content_type = "application/problem+json"),
        Rejected,
    ),
)]
pub(in crate::http) async fn opened(
    State(app): State<Arc<AppState>>,
    OwnInbox(user_id): OwnInbox,
    JsonBody(request, _reservation): JsonBody<MarkRequest>,
) -> Result<Json<WriteAnswer>, ApiError> {
    let kind = match request.target().map_err(ApiError::invalid)? {
        MarkTarget::Ids(ids) => InboxCommand::Opened(ids.to_vec()),
        MarkTarget::All { through, tag } => InboxCommand::OpenedAll { through, tag },
    };
    write(&app, &user_id, kind, request.op).await
}

/// Marks notifications pending again.
#[utoipa::path(
    post,
    path = "/v1/inbox/unopened",
    tag = "Inbox",
    security(("token" = [])),
    request_body = MarkRequest,
    responses(
        (status = 200, description = "The seq of the change, if one was made, and the head.", body = WriteAnswer),
        Rejected,
    ),
)]
pub(in crate::http) async fn unopened(
    State(app): State<Arc<AppState>>,
    OwnInbox(user_id): OwnInbox,
    JsonBody(request, _reservation): JsonBody<MarkRequest>,
) -> Result<Json<WriteAnswer>, ApiError> {
    let kind = match request.target().map_err(ApiError::invalid)? {
        MarkTarget::Ids(ids) => InboxCommand::Unopened(ids.to_vec()),
        MarkTarget::All { .. } => {
            return Err(ApiError::invalid("`all` is only supported for opened; send `ids`"));
        }
    };
    write(&app, &user_id, kind, request.op).await
}

/// Removes a notification from the caller's inbox.
#[utoipa::path(
    delete,
    path = "/v1/inbox/notifications/{id}",
    tag = "Inbox",
    security(("token" = [])),
    params(
        ("id" = NotificationId, Path, description = "The id of the notification."),
        ("op" = Option<OpId>, Query, description = "Identifies this operation: a repeat with the same `op` changes nothing."),
    ),
    responses((status = 200, description = "The seq of the change, if one was made, and the head.", body = WriteAnswer), NotFound, Rejected),
)]
pub(in crate::http) async fn remove(
    State(app): State<Arc<AppState>>,
    OwnInbox(user_id): OwnInbox,
    PathId(id): PathId,
    query: Query,
) -> Result<Json<WriteAnswer>, ApiError> {
    let op = query.parsed("op")?;
    write(&app, &user_id, InboxCommand::Remove(id), op).await
}

async fn write(
    app: &AppState,
    user_id: &UserId,
    kind: InboxCommand,
    op: Option<OpId>,
) -> Result<Json<WriteAnswer>, ApiError> {
    app.check_running()?;
    let write = Write::new(kind, app.guard.stamp()).with_op(op);
    Ok(Json(app.store.write(user_id, write).await?))
}
