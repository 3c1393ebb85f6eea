use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use internal_notifications_models::{InternalNotification, NotificationId, PushRequest, Receipt, UserId};

use crate::http::App;
use crate::http::extract::{IdempotencyHeader, JsonBody, Pusher};
use crate::http::problem::{ApiError, Kind};
use crate::store::Push;

pub(in crate::http) async fn push(
    State(app): State<Arc<App>>,
    Pusher(caller): Pusher,
    key: IdempotencyHeader,
    JsonBody(request): JsonBody<PushRequest>,
) -> Result<(StatusCode, Json<Receipt>), ApiError> {
    let idempotency = key.of(&request)?;
    let PushRequest { user_ids, notification } = request;
    let user_ids = recipients(&app, user_ids)?;
    if !app.policy.may_push(&caller, &user_ids) {
        return Err(ApiError::may_not_push());
    }
    check(&app, &notification)?;
    let id = match &notification.id {
        Some(id) => id.clone(),
        None => NotificationId::new(app.ids.next())
            .map_err(|error| ApiError::bare(Kind::Internal).with_cause(error.to_string()))?,
    };
    let (sender, at) = (caller.to_string(), app.clock.now());
    let push = Push { sender, idempotency, id, notification, user_ids, at };
    let receipt = app.store.push(push).await?;
    let stored = receipt.accepted > 0 || receipt.scheduled > 0;
    Ok((if stored { StatusCode::CREATED } else { StatusCode::OK }, Json(receipt)))
}

/// Each recipient once, in the order in which they stand.
fn recipients(app: &App, user_ids: Vec<UserId>) -> Result<Vec<UserId>, ApiError> {
    let most = app.limits.recipients;
    let mut seen = HashSet::with_capacity(user_ids.len().min(most));
    let user_ids: Vec<UserId> = user_ids.into_iter().filter(|user| seen.insert(user.clone())).collect();
    if user_ids.is_empty() || user_ids.len() > most {
        return Err(ApiError::invalid(format!("`user_ids` has 1 to {most} users")));
    }
    match user_ids.iter().find_map(|user| Some((user, app.channels.channel(user).err()?))) {
        Some((user, error)) => Err(ApiError::invalid(format!("{user}: {error}"))),
        None => Ok(user_ids),
    }
}

fn check(app: &App, notification: &InternalNotification) -> Result<(), ApiError> {
    notification.check().map_err(|error| ApiError::invalid(error.to_string()))?;
    let most = app.limits.notification_bytes;
    let length = json_length(notification)
        .map_err(|error| ApiError::bare(Kind::Internal).with_cause(error.to_string()))?;
    match length > most {
        true => Err(ApiError::new(Kind::TooLarge, format!("a notification has at most {most} bytes"))),
        false => Ok(()),
    }
}

/// How long the canonical JSON is, which the store makes: sorting keys makes it neither longer nor shorter.
fn json_length(notification: &InternalNotification) -> serde_json::Result<usize> {
    struct Length(usize);
    impl io::Write for Length {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut length = Length(0);
    serde_json::to_writer(&mut length, notification)?;
    Ok(length.0)
}

#[cfg(test)]
mod tests {
    use internal_notifications_models::canonical_json;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_length_is_that_of_the_canonical_json() {
        let notification: InternalNotification = serde_json::from_value(json!({
            "id": "n", "content": "é\"\u{0}", "payload": {"b": [93.57325699163573, 1e300, null], "a": {}},
            "zebra": "z", "apple": {"y": 1, "x": -2}, "buttons": [{"id": "b", "text": "t"}],
        }))
        .unwrap();
        let canonical = canonical_json(&serde_json::to_value(&notification).unwrap());
        assert_eq!(json_length(&notification).unwrap(), canonical.len());
    }
}
