use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use internal_notifications_models::{MarkRequest, MarkTarget, OpId, UserId, WriteAnswer};

use crate::http::App;
use crate::http::extract::{JsonBody, OwnInbox, PathId, Query};
use crate::http::problem::ApiError;
use crate::store::{Write, WriteKind};

pub(in crate::http) async fn opened(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
    JsonBody(request): JsonBody<MarkRequest>,
) -> Result<Json<WriteAnswer>, ApiError> {
    let kind = match request.target().map_err(ApiError::invalid)? {
        MarkTarget::Ids(ids) => WriteKind::Opened(ids.to_vec()),
        MarkTarget::All { through, tag } => WriteKind::OpenedAll { through, tag },
    };
    write(&app, &user_id, kind, request.op).await
}

pub(in crate::http) async fn unopened(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
    JsonBody(request): JsonBody<MarkRequest>,
) -> Result<Json<WriteAnswer>, ApiError> {
    let kind = match request.target().map_err(ApiError::invalid)? {
        MarkTarget::Ids(ids) => WriteKind::Unopened(ids.to_vec()),
        MarkTarget::All { .. } => return Err(ApiError::invalid("`all` is for opened; give `ids`")),
    };
    write(&app, &user_id, kind, request.op).await
}

pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
    PathId(id): PathId,
    query: Query,
) -> Result<Json<WriteAnswer>, ApiError> {
    let op = query.parsed("op")?;
    write(&app, &user_id, WriteKind::Remove(id), op).await
}

async fn write(
    app: &App,
    user_id: &UserId,
    kind: WriteKind,
    op: Option<OpId>,
) -> Result<Json<WriteAnswer>, ApiError> {
    let write = Write { kind, op, at: app.clock.now() };
    Ok(Json(app.store.write(user_id, write).await?))
}
