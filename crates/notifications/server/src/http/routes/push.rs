use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use internal_notifications_models::{NotificationId, Problem, PushRequest, Receipt, UserId};

use crate::Clock;
use crate::http::AppState;
use crate::http::extract::{IdempotencyHeader, JsonBody, MayPush};
use crate::http::openapi::Rejected;
use crate::http::problem::{ApiError, Kind};
use crate::store::Push;

/// Pushes a notification to users.
///
/// Requires an API key, or a token with the scope `notifications:push`. With a token, an `id` must
/// be a UUID.
#[utoipa::path(
    post,
    path = "/v1/notifications",
    tag = "Pushing",
    security(("api_key" = []), ("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Identifies this request: a repeat with the same key gets the stored answer.", min_length = 1, max_length = 255)),
    request_body = PushRequest,
    responses(
        (status = 201, description = "The notification was stored, or scheduled.", body = Receipt),
        (status = 200, description = "All recipients already had the notification.", body = Receipt),
        (status = 409, description = "The id belongs to a notification with another body or sender.", body = Problem, content_type = "application/problem+json"),
        Rejected,
    ),
)]
pub(in crate::http) async fn push(
    State(app): State<Arc<AppState>>,
    MayPush(caller): MayPush,
    key: IdempotencyHeader,
    JsonBody(request, _reservation): JsonBody<PushRequest>,
) -> Result<(StatusCode, Json<Receipt>), ApiError> {
    let idempotency = key.of(&request)?;
    let PushRequest { user_ids, notification, .. } = request;
    let user_ids = recipients(&app, user_ids)?;
    app.policy.may_push_to(&caller, &user_ids).await?;
    app.config.limits.push().check_notification(&notification)?;
    let id = match &notification.id {
        Some(id) => {
            app.policy.may_use_id(&caller, id).await?;
            id.clone()
        }
        None => NotificationId::new(app.ids.next_id())
            .map_err(|error| ApiError::bare(Kind::Internal).with_cause(error))?,
    };
    let (sender, at) = (caller.to_string(), app.guard.stamp());
    let push = Push::new(id, sender, notification, user_ids, at)
        .with_now(app.guard.now())
        .with_idempotency_key(idempotency);
    app.check_running()?;
    let receipt = app.store.push(push).await?;
    let stored = receipt.accepted > 0 || receipt.scheduled > 0;
    Ok((if stored { StatusCode::CREATED } else { StatusCode::OK }, Json(receipt)))
}

/// Returns each recipient once, sorted.
fn recipients(app: &AppState, user_ids: Vec<UserId>) -> Result<Vec<UserId>, ApiError> {
    let limits = app.config.limits.push();
    let user_ids: Vec<UserId> = limits.check_recipients(&user_ids)?.into_iter().cloned().collect();
    match user_ids.iter().find_map(|user| Some((user, app.config.channel_prefix.channel(user).err()?))) {
        Some((user, error)) => Err(ApiError::invalid(format!("{user}: {error}"))),
        None => Ok(user_ids),
    }
}
