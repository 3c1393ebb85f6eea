use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use internal_notifications_models::{NotificationId, Problem, PushRequest, Receipt, UserId};

use crate::http::App;
use crate::http::extract::{IdempotencyHeader, JsonBody, Pusher};
use crate::http::openapi::Refused;
use crate::http::problem::{ApiError, Kind};
use crate::store::Push;

/// Pushes a notification to users.
///
/// Needs an API key, or a token with the scope `notifications:push`.
#[utoipa::path(
    post,
    path = "/v1/notifications",
    tag = "Pushing",
    security(("api_key" = []), ("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The caller's name of this request: a repeat gets the stored answer.", min_length = 1, max_length = 255)),
    request_body = PushRequest,
    responses(
        (status = 201, description = "Stored, or scheduled.", body = Receipt),
        (status = 200, description = "All recipients had it already.", body = Receipt),
        (status = 409, description = "The id is taken by another body or sender.", body = Problem, content_type = "application/problem+json"),
        Refused,
    ),
)]
pub(in crate::http) async fn push(
    State(app): State<Arc<App>>,
    Pusher(caller): Pusher,
    key: IdempotencyHeader,
    JsonBody(request): JsonBody<PushRequest>,
) -> Result<(StatusCode, Json<Receipt>), ApiError> {
    let idempotency = key.of(&request)?;
    let PushRequest { user_ids, notification, .. } = request;
    let user_ids = recipients(&app, user_ids)?;
    if !app.policy.may_push(&caller, &user_ids) {
        return Err(ApiError::may_not_push());
    }
    app.limits.push().check_notification(&notification)?;
    let id = match &notification.id {
        Some(id) => id.clone(),
        None => NotificationId::new(app.ids.next())
            .map_err(|error| ApiError::bare(Kind::Internal).with_cause(error.to_string()))?,
    };
    let (sender, at) = (caller.to_string(), app.clock.now());
    let push = Push::new(id, sender, notification, user_ids, at).with_idempotency_key(idempotency);
    let receipt = app.store.push(push).await?;
    let stored = receipt.accepted > 0 || receipt.scheduled > 0;
    Ok((if stored { StatusCode::CREATED } else { StatusCode::OK }, Json(receipt)))
}

/// Each recipient once, in the order in which they stand.
fn recipients(app: &App, user_ids: Vec<UserId>) -> Result<Vec<UserId>, ApiError> {
    let user_ids: Vec<UserId> = app.limits.push().check_recipients(&user_ids)?.into_iter().cloned().collect();
    match user_ids.iter().find_map(|user| Some((user, app.channels.channel(user).err()?))) {
        Some((user, error)) => Err(ApiError::invalid(format!("{user}: {error}"))),
        None => Ok(user_ids),
    }
}
