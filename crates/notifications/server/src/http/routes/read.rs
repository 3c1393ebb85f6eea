use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, RealtimeInfo, Tag,
};

use crate::http::App;
use crate::http::extract::{OwnInbox, PathId, Query};
use crate::http::openapi::{NotFound, Refused};
use crate::http::problem::{ApiError, Kind};

/// What the caller's client needs to receive live events.
#[utoipa::path(
    get,
    path = "/v1/realtime",
    tag = "Channels",
    security(("token" = [])),
    responses((status = 200, description = "The engine, the channel and the events.", body = RealtimeInfo), Refused),
)]
pub(in crate::http) async fn realtime(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
) -> Result<Json<RealtimeInfo>, ApiError> {
    app.realtime_info(&user_id).map(Json).map_err(|error| ApiError::invalid(error.to_string()))
}

/// The newest notifications and the head, read together; or, with `before`, an older page.
#[utoipa::path(
    get,
    path = "/v1/inbox",
    tag = "Inbox",
    security(("token" = [])),
    params(
        ("limit" = Option<u64>, Query, description = "How many, at most.", minimum = 1, maximum = 200),
        ("before" = Option<u64>, Query, description = "An `added` seq, exclusive."),
    ),
    responses((status = 200, description = "Newest first.", body = InboxPage), Refused),
)]
pub(in crate::http) async fn page(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
    query: Query,
) -> Result<Json<InboxPage>, ApiError> {
    let limit = limit(&query, 50, 200)?;
    let before = query.number("before", 0..=u64::MAX)?;
    Ok(Json(app.store.page(&user_id, limit, before).await?))
}

/// One notification.
#[utoipa::path(
    get,
    path = "/v1/inbox/notifications/{id}",
    tag = "Inbox",
    security(("token" = [])),
    params(("id" = NotificationId, Path, description = "The notification.")),
    responses((status = 200, description = "As it stands.", body = InboxNotification), NotFound, Refused),
)]
pub(in crate::http) async fn notification(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
    PathId(id): PathId,
) -> Result<Json<InboxNotification>, ApiError> {
    let found = app.store.notification(&user_id, &id).await?;
    found.map(Json).ok_or_else(|| ApiError::bare(Kind::UnknownNotification))
}

/// Every change after a position, or a reset: never a part.
#[utoipa::path(
    get,
    path = "/v1/inbox/changes",
    tag = "Inbox",
    security(("token" = [])),
    params(
        ("after" = u64, Query, description = "The seq of the position; 0 for a new inbox."),
        ("tag" = Option<Tag>, Query, description = "The tag of the position; with every `after` but 0."),
        ("limit" = Option<u64>, Query, description = "How many, at most.", minimum = 1, maximum = 500),
    ),
    responses((status = 200, description = "The changes in order, or a snapshot.", body = ChangesAnswer), Refused),
)]
pub(in crate::http) async fn changes(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
    query: Query,
) -> Result<Json<ChangesAnswer>, ApiError> {
    let limit = limit(&query, 200, 500)?;
    let seq = query.number("after", 0..=u64::MAX)?;
    let seq = seq.ok_or_else(|| ApiError::invalid("`after` is needed: a seq, or 0 for a new inbox"))?;
    let tag = query.parsed("tag")?;
    if (seq == 0) != tag.is_none() {
        return Err(ApiError::invalid("`tag` goes with every `after` but 0"));
    }
    Ok(Json(app.store.changes(&user_id, Position { seq, tag }, limit).await?))
}

/// The newest position, with the pending count.
#[utoipa::path(
    get,
    path = "/v1/inbox/head",
    tag = "Inbox",
    security(("token" = [])),
    responses((status = 200, description = "The head.", body = Head), Refused),
)]
pub(in crate::http) async fn head(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
) -> Result<Json<Head>, ApiError> {
    Ok(Json(app.store.head(&user_id).await?))
}

fn limit(query: &Query, default: u64, most: u64) -> Result<usize, ApiError> {
    let limit = query.number("limit", 1..=most)?.unwrap_or(default);
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}
