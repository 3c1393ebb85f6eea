use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, Position, RealtimeInfo,
};

use crate::http::App;
use crate::http::extract::{OwnInbox, PathId, Query};
use crate::http::problem::{ApiError, Kind};

pub(in crate::http) async fn realtime(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
) -> Result<Json<RealtimeInfo>, ApiError> {
    app.realtime_info(&user_id).map(Json).map_err(|error| ApiError::invalid(error.to_string()))
}

pub(in crate::http) async fn page(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
    query: Query,
) -> Result<Json<InboxPage>, ApiError> {
    let limit = limit(&query, 50, 200)?;
    let before = query.number("before", 0..=u64::MAX)?;
    Ok(Json(app.store.page(&user_id, limit, before).await?))
}

pub(in crate::http) async fn notification(
    State(app): State<Arc<App>>,
    OwnInbox(user_id): OwnInbox,
    PathId(id): PathId,
) -> Result<Json<InboxNotification>, ApiError> {
    let found = app.store.notification(&user_id, &id).await?;
    found.map(Json).ok_or_else(|| ApiError::bare(Kind::UnknownNotification))
}

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
