use internal_notifications_models::{InternalNotification, NotificationId, Timestamp, UserId};

use crate::IdempotencyKey;

/// A push to one or more users. The caller has validated it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Push {
    /// The id of the notification. The id in `notification` is ignored.
    pub id: NotificationId,
    /// The sender: `user:ID`, `key:NAME` or `outbox:NAME`.
    pub sender: String,
    /// The notification.
    pub notification: InternalNotification,
    /// The recipients, each named once.
    pub user_ids: Vec<UserId>,
    /// The time to store.
    pub at: Timestamp,
    /// The time that decides whether the notification is due and whether it has expired. `None`,
    /// the default, means `at`, which may be later while the clock is in doubt.
    pub now: Option<Timestamp>,
    /// The key that makes a repeat of the request return the first receipt.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Push {
    /// Creates a push without an idempotency key.
    pub fn new(
        id: NotificationId,
        sender: impl Into<String>,
        notification: InternalNotification,
        user_ids: Vec<UserId>,
        at: Timestamp,
    ) -> Self {
        Self { id, sender: sender.into(), notification, user_ids, at, now: None, idempotency_key: None }
    }

    /// Sets [`now`](Self::now).
    pub fn with_now(self, now: Timestamp) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Sets [`idempotency_key`](Self::idempotency_key).
    pub fn with_idempotency_key(self, idempotency_key: Option<IdempotencyKey>) -> Self {
        Self { idempotency_key, ..self }
    }
}
