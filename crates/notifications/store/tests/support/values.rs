//! Short names for the values that the suites use.

use internal_notifications_models::{InternalNotification, NotificationId, Timestamp, UserId};
use internal_notifications_store::Push;

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub(crate) fn id(name: &str) -> NotificationId {
    NotificationId::new(name).unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

/// A push of the notification `name` to these users, at second 0.
pub(crate) fn push(name: &str, users: &[&str]) -> Push {
    let notification = InternalNotification::new(format!("about {name}"));
    let user_ids = users.iter().map(|name| user(name)).collect();
    Push::new(id(name), "key:shop", notification, user_ids, at(0))
}
