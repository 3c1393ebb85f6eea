use internal_notifications_service::models::{InternalNotification, NotificationId};

/// Returns the notification with this id; for one id it is always the same.
pub(crate) fn notification(id: &NotificationId) -> InternalNotification {
    InternalNotification::new(format!("the content of {id}")).with_id(id.clone())
}
