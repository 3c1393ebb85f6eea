use internal_notifications_models::{NotificationId, Timestamp, UserId};

use super::body::body;
use crate::{IdempotencyKey, Push, StoreError, StoreErrorKind};

/// A push, made ready on its caller's time: connections that write are few, callers are many.
pub(crate) struct NewPush {
    pub(crate) sender: String,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    pub(crate) id: NotificationId,
    pub(crate) body: String,
    /// SHA-256 of the body, in hexadecimal.
    pub(crate) digest: String,
    /// Sorted: the order in which inboxes are locked.
    pub(crate) user_ids: Vec<UserId>,
    pub(crate) at: Timestamp,
    /// When it is to enter the inboxes, if not at once.
    pub(crate) due: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// A notification that is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredNotification {
    pub(crate) key: i64,
    pub(crate) sender: String,
    pub(crate) digest: String,
    /// Retracted, or taken out of the inboxes because it had expired.
    pub(crate) withdrawn: bool,
}

impl NewPush {
    pub(crate) fn new(push: Push) -> Result<Self, StoreError> {
        let Push { id, sender, notification, mut user_ids, at, idempotency_key } = push;
        let due = notification.send_after.filter(|due| *due > at);
        let expires_at = notification.expires_at;
        let (body, digest) = body(notification)?;
        user_ids.sort_unstable();
        Ok(Self { sender, idempotency_key, id, body, digest, user_ids, at, due, expires_at })
    }

    /// Whether a new notification may be stored for it.
    pub(crate) fn check_new(&self) -> Result<(), StoreError> {
        match self.has_expired() {
            true => Err(StoreError::new(StoreErrorKind::Expired)),
            false => Ok(()),
        }
    }

    /// Whether the notification that has the id is this one.
    pub(crate) fn check_known(&self, known: &StoredNotification) -> Result<(), StoreError> {
        match self.sender == known.sender && self.digest == known.digest {
            true => Ok(()),
            false => Err(StoreError::new(StoreErrorKind::IdTaken)),
        }
    }

    /// Whether nobody gets the notification any more.
    pub(crate) fn is_over(&self, notification: &StoredNotification) -> bool {
        notification.withdrawn || self.has_expired()
    }

    fn has_expired(&self) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= self.at)
    }
}

impl IdempotencyKey {
    /// What a request with this key gets, when the key was used before for that request with that answer.
    pub(crate) fn answer<T>(&self, request: &str, answer: T) -> Result<T, StoreError> {
        match self.request == request {
            true => Ok(answer),
            false => Err(StoreError::new(StoreErrorKind::KeyReused)),
        }
    }
}
