use internal_notifications_models::{NotificationId, Timestamp, UserId};

use super::body::body;
use crate::{IdempotencyKey, Push, StoreError, StoreErrorKind};

/// A push prepared by its caller's task, since connections that write are scarcer than callers.
#[derive(Debug)]
pub(crate) struct NewPush {
    pub(crate) id: NotificationId,
    pub(crate) sender: String,
    pub(crate) body: String,
    /// The SHA-256 of the body in hexadecimal.
    pub(crate) digest: String,
    /// Sorted, which is the order in which inboxes are locked.
    pub(crate) user_ids: Vec<UserId>,
    pub(crate) at: Timestamp,
    /// The time that decides whether it is due and whether it has expired.
    now: Timestamp,
    /// The time at which it is added to the inboxes, if that is later than `now`.
    pub(crate) due: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
}

/// The stored row of a notification.
#[derive(Clone, Debug)]
pub(crate) struct StoredNotification {
    pub(crate) key: i64,
    pub(crate) sender: String,
    pub(crate) digest: String,
    /// Whether it was retracted, or was removed from the inboxes because it expired.
    pub(crate) withdrawn: bool,
}

impl NewPush {
    pub(crate) fn new(push: Push) -> Result<Self, StoreError> {
        let Push { id, sender, notification, mut user_ids, at, now, idempotency_key } = push;
        let now = now.unwrap_or(at);
        let due = notification.send_after.filter(|due| *due > now);
        let expires_at = notification.expires_at;
        let (body, digest) = body(notification)?;
        user_ids.sort_unstable();
        Ok(Self { id, sender, body, digest, user_ids, at, now, due, expires_at, idempotency_key })
    }

    /// Returns roughly how many rows the push writes, to bound a transaction. A body counts as much
    /// as the rows that would take its bytes.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn weight(&self) -> usize {
        const ROW: usize = 256;
        self.user_ids.len() + self.body.len() / ROW
    }

    /// Returns the notification as it is once it is stored with this key.
    pub(crate) fn stored_as(&self, key: i64) -> StoredNotification {
        let (sender, digest) = (self.sender.clone(), self.digest.clone());
        StoredNotification { key, sender, digest, withdrawn: false }
    }

    /// Returns the sender with its idempotency key, if the push has one.
    pub(crate) fn caller_key(&self) -> Option<(String, String)> {
        let key = self.idempotency_key.as_ref()?;
        Some((self.sender.clone(), key.key.clone()))
    }

    /// Checks that the notification may be stored, if its id is not yet.
    pub(crate) fn check_new(&self) -> Result<(), StoreError> {
        match self.has_expired() {
            true => Err(StoreError::new(StoreErrorKind::Expired)),
            false => Ok(()),
        }
    }

    /// Checks that the stored notification with its id is the same.
    pub(crate) fn check_stored(&self, stored: &StoredNotification) -> Result<(), StoreError> {
        match self.sender == stored.sender && self.digest == stored.digest {
            true => Ok(()),
            false => Err(StoreError::new(StoreErrorKind::IdTaken)),
        }
    }

    /// Returns whether the notification is no longer delivered to anyone.
    pub(crate) fn is_over(&self, stored: &StoredNotification) -> bool {
        stored.withdrawn || self.has_expired()
    }

    /// Returns whether the notification has expired by the time of the push.
    pub(crate) fn has_expired(&self) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= self.now)
    }
}

impl IdempotencyKey {
    /// Returns the answer that was stored with this key, if it was stored for the same request.
    pub(crate) fn answer<T>(&self, stored_request: &str, answer: T) -> Result<T, StoreError> {
        match self.request == stored_request {
            true => Ok(answer),
            false => Err(StoreError::new(StoreErrorKind::KeyReused)),
        }
    }
}

#[cfg(test)]
mod tests {
    use internal_notifications_models::{InternalNotification, PushRequest};

    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    fn push(change: impl FnOnce(&mut InternalNotification)) -> NewPush {
        let mut notification = InternalNotification::new("c");
        change(&mut notification);
        let user_ids = ["bob", "ada"].map(|user| user.parse().unwrap()).to_vec();
        NewPush::new(Push::new("n".parse().unwrap(), "key:shop", notification, user_ids, at(10))).unwrap()
    }

    fn stored(push: &NewPush) -> StoredNotification {
        push.stored_as(1)
    }

    #[test]
    fn recipients_are_sorted() {
        assert_eq!(push(|_| ()).user_ids, ["ada", "bob"].map(|user| user.parse().unwrap()));
    }

    #[test]
    fn a_push_is_scheduled_only_if_it_is_due_later() {
        for (send_after, due) in [(9, None), (10, None), (11, Some(at(11)))] {
            assert_eq!(push(|notification| notification.send_after = Some(at(send_after))).due, due);
        }
    }

    #[test]
    fn a_notification_expires_at_its_time_and_not_before() {
        for (expires_at, is_over) in [(9, true), (10, true), (11, false)] {
            let push = push(|notification| notification.expires_at = Some(at(expires_at)));
            assert_eq!(push.is_over(&stored(&push)), is_over, "{expires_at}");
            let error = push.check_new().err().map(|error| error.kind());
            assert_eq!(error, is_over.then_some(StoreErrorKind::Expired), "{expires_at}");
        }
        let push = push(|_| ());
        assert!(push.check_new().is_ok() && !push.is_over(&stored(&push)));
        assert!(push.is_over(&StoredNotification { withdrawn: true, ..stored(&push) }));
    }

    #[test]
    fn the_current_time_decides_rather_than_a_later_time_to_store() {
        let mut notification = InternalNotification::new("c");
        (notification.send_after, notification.expires_at) = (Some(at(15)), Some(at(20)));
        let push = Push::new("n".parse().unwrap(), "key:shop", notification, Vec::new(), at(30));
        let push = NewPush::new(push.with_now(at(10))).unwrap();
        assert_eq!((push.at, push.due), (at(30), Some(at(15))));
        push.check_new().unwrap();
        assert!(!push.is_over(&stored(&push)));
    }

    #[test]
    fn an_id_belongs_to_one_sender_and_one_body() {
        let push = push(|_| ());
        push.check_stored(&stored(&push)).unwrap();
        for taken in [
            StoredNotification { sender: "key:other".to_owned(), ..stored(&push) },
            StoredNotification { digest: "other".to_owned(), ..stored(&push) },
        ] {
            assert_eq!(push.check_stored(&taken).unwrap_err().kind(), StoreErrorKind::IdTaken);
        }
    }

    #[test]
    fn an_idempotency_key_answers_its_own_request_only() {
        let request = |user: &str| PushRequest::new([user.parse().unwrap()], InternalNotification::new("c"));
        let [ada, bob] = ["ada", "bob"].map(|user| IdempotencyKey::new("k", &request(user)).unwrap());
        assert_eq!(ada.answer(&ada.request, 1).unwrap(), 1);
        assert_eq!(bob.answer(&ada.request, 1).unwrap_err().kind(), StoreErrorKind::KeyReused);
    }
}
