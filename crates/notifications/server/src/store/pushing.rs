use std::collections::{BTreeMap, HashSet};

use internal_notifications_models::{NotificationId, Receipt, Timestamp, UserId};

use super::journal::{Inbox, Journal, Made, ScheduledRow};
use super::{IdempotencyKey, Push, StoreError, StoreErrorKind, digest};

/// A push, made ready on its caller's time: connections that write are few, callers are many.
pub(super) struct NewPush {
    pub(super) sender: String,
    pub(super) idempotency: Option<IdempotencyKey>,
    pub(super) id: NotificationId,
    pub(super) body: String,
    /// SHA-256 of the body, in hexadecimal.
    pub(super) digest: String,
    /// Sorted: the order in which inboxes are locked.
    pub(super) user_ids: Vec<UserId>,
    pub(super) at: Timestamp,
    /// When it is to enter the inboxes, if not at once.
    pub(super) due: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
}

/// A notification that is stored.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) key: i64,
    pub(super) sender: String,
    pub(super) digest: String,
    /// Retracted, or taken out of the inboxes because it had expired.
    pub(super) withdrawn: bool,
}

impl NewPush {
    pub(super) fn new(push: Push) -> Result<Self, StoreError> {
        let Push { sender, idempotency, id, notification, mut user_ids, at } = push;
        let due = notification.send_after.filter(|due| *due > at);
        let expires_at = notification.expires_at;
        let (body, digest) = digest::body(notification)?;
        user_ids.sort_unstable();
        Ok(Self { sender, idempotency, id, body, digest, user_ids, at, due, expires_at })
    }

    /// Whether a new notification may be stored for it.
    pub(super) fn check_new(&self) -> Result<(), StoreError> {
        match self.has_expired() {
            true => Err(StoreError::new(StoreErrorKind::Expired)),
            false => Ok(()),
        }
    }

    /// Whether the notification that has the id is this one.
    pub(super) fn check_known(&self, known: &Known) -> Result<(), StoreError> {
        match self.sender == known.sender && self.digest == known.digest {
            true => Ok(()),
            false => Err(StoreError::new(StoreErrorKind::IdTaken)),
        }
    }

    /// Whether nobody gets the notification any more.
    pub(super) fn is_over(&self, notification: &Known) -> bool {
        notification.withdrawn || self.has_expired()
    }

    fn has_expired(&self) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= self.at)
    }

    /// Gives the notification to those who never had it, now or when it is due. `had` names, for its key, the users who have it, had it or
    /// are to get it.
    pub(super) fn deliver(
        &self,
        notification: &Known,
        inboxes: &mut BTreeMap<UserId, Inbox>,
        had: &mut HashSet<(i64, UserId)>,
        journal: &mut Journal<'_>,
    ) -> Receipt {
        let mut receipt = Receipt::new(self.id.clone());
        let over = self.is_over(notification);
        for user in &self.user_ids {
            let Some(inbox) = inboxes.get_mut(user) else { continue };
            if over || !had.insert((notification.key, user.clone())) {
                receipt.duplicates += 1;
            } else if let Some(due) = self.due {
                let due_at = due.as_millisecond();
                let row = ScheduledRow { notification: notification.key, user_id: user.clone(), due_at };
                journal.scheduled.push(row);
                receipt.scheduled += 1;
            } else {
                inbox.head.pending += 1;
                journal.record(inbox, self.at, Made::Added(notification.key));
                receipt.accepted += 1;
            }
        }
        receipt
    }
}
