use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, RealtimeInfo, Tag,
};

use crate::http::AppState;
use crate::http::extract::{OwnInbox, PathId, Query};
use crate::http::openapi::{NotFound, Rejected};
use crate::http::problem::{ApiError, Kind};

/// Returns what the caller's client needs to receive live events.
#[utoipa::path(
    get,
    path = "/v1/realtime",
    tag = "Channels",
    security(("token" = [])),
    responses((status = 200, description = "The Channels engine, the channel and the event names.", body = RealtimeInfo), Rejected),
)]
pub(in crate::http) async fn realtime(
    State(app): State<Arc<AppState>>,
    OwnInbox(user_id): OwnInbox,
) -> Result<Json<RealtimeInfo>, ApiError> {
    app.realtime_info(&user_id).map(Json).map_err(|error| ApiError::invalid(error.to_string()))
}

/// Returns the newest notifications with the head of the inbox, or an older page.
#[utoipa::path(
    get,
    path = "/v1/inbox",
    tag = "Inbox",
    security(("token" = [])),
    params(
        ("limit" = Option<u64>, Query, description = "The most notifications to return; 50 by default.", minimum = 1, maximum = 200),
        ("before" = Option<u64>, Query, description = "Return only notifications with an `added` seq below this."),
    ),
    responses((status = 200, description = "The notifications, newest first, and the head, read together.", body = InboxPage), Rejected),
)]
pub(in crate::http) async fn page(
    State(app): State<Arc<AppState>>,
    OwnInbox(user_id): OwnInbox,
    query: Query,
) -> Result<Json<InboxPage>, ApiError> {
    let limit = limit(&query, 50, 200)?;
    let before = query.number("before", 0..=u64::MAX)?;
    Ok(Json(app.store.page(&user_id, limit, before).await?))
}

/// Returns one notification.
#[utoipa::path(
    get,
    path = "/v1/inbox/notifications/{id}",
    tag = "Inbox",
    security(("token" = [])),
    params(("id" = NotificationId, Path, description = "The id of the notification.")),
    responses((status = 200, description = "The notification.", body = InboxNotification), NotFound, Rejected),
)]
pub(in crate::http) async fn notification(
    State(app): State<Arc<AppState>>,
    OwnInbox(user_id): OwnInbox,
    PathId(id): PathId,
) -> Result<Json<InboxNotification>, ApiError> {
    let found = app.store.notification(&user_id, &id).await?;
    found.map(Json).ok_or_else(|| ApiError::bare(Kind::UnknownNotification))
}

/// Returns the changes after a position, or a snapshot if these are not available.
#[utoipa::path(
    get,
    path = "/v1/inbox/changes",
    tag = "Inbox",
    security(("token" = [])),
    params(
        ("after" = u64, Query, description = "The seq of the position; 0 for a new inbox."),
        ("tag" = Option<Tag>, Query, description = "The tag of the position; required unless `after` is 0."),
        ("limit" = Option<u64>, Query, description = "The most changes to return; 200 by default.", minimum = 1, maximum = 500),
    ),
    responses((status = 200, description = "The changes in order, or a reset with a snapshot.", body = ChangesAnswer), Rejected),
)]
pub(in crate::http) async fn changes(
    State(app): State<Arc<AppState>>,
    OwnInbox(user_id): OwnInbox,
    query: Query,
) -> Result<Json<ChangesAnswer>, ApiError> {
    let limit = limit(&query, 200, 500)?;
    let seq = query.number("after", 0..=u64::MAX)?;
    let seq = seq.ok_or_else(|| ApiError::invalid("`after` is required: a seq, or 0 for a new inbox"))?;
    let tag = query.parsed("tag")?;
    if (seq == 0) != tag.is_none() {
        return Err(ApiError::invalid("`tag` is required unless `after` is 0, and not allowed if it is"));
    }
    Ok(Json(app.store.changes(&user_id, Position { seq, tag }, limit).await?))
}

/// Returns the newest position of the inbox, with the pending count.
#[utoipa::path(
    get,
    path = "/v1/inbox/head",
    tag = "Inbox",
    security(("token" = [])),
    responses((status = 200, description = "The head of the inbox.", body = Head), Rejected),
)]
pub(in crate::http) async fn head(
    State(app): State<Arc<AppState>>,
    OwnInbox(user_id): OwnInbox,
) -> Result<Json<Head>, ApiError> {
    Ok(Json(app.store.head(&user_id).await?))
}

fn limit(query: &Query, default: u64, most: u64) -> Result<usize, ApiError> {
    let limit = query.number("limit", 1..=most)?.unwrap_or(default);
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}
