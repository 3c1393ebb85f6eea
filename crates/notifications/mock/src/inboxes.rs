mod schedule;

use std::collections::{BTreeMap, BTreeSet};

use internal_notifications_models::{
    Change, ChangesAnswer, InboxPage, InternalNotification, NotificationId, OpId, Receipt, Timestamp, UserId,
    WriteAnswer, canonical_json,
};
use internal_notifications_service::{InboxCommand, InboxLog, Refused, ServiceError, ServiceErrorKind};

use crate::counters::Counters;

/// The data that a server stores: the inboxes of all users, and every notification that was ever
/// pushed.
#[derive(Clone, Default)]
pub(crate) struct Inboxes {
    logs: BTreeMap<UserId, InboxLog>,
    notifications: BTreeMap<NotificationId, StoredNotification>,
    schedule: schedule::Schedule,
}

/// A pushed notification. A push with the same id but another sender or body is a conflict.
#[derive(Clone)]
struct StoredNotification {
    sender: String,
    body: String,
    notification: InternalNotification,
    /// Whether it was retracted or has expired, and is no longer delivered.
    is_withdrawn: bool,
}

/// Returns the notification without its id, as canonical JSON.
fn body(notification: &InternalNotification) -> String {
    // It cannot fail: a notification is made of texts and JSON.
    canonical_json(&notification.clone().without_id()).unwrap_or_default()
}

impl Inboxes {
    /// Stores a push that obeys the rules. Returns the changes, ordered by user.
    pub(crate) fn push(
        &mut self,
        sender: &str,
        user_ids: &[UserId],
        notification: &InternalNotification,
        now: Timestamp,
        counters: &mut Counters,
    ) -> Result<(Receipt, Vec<(UserId, Change)>), ServiceError> {
        let id = match &notification.id {
            Some(id) => id.clone(),
            None => counters
                .id(|id| self.notifications.contains_key(id))
                .map_err(|error| ServiceError::new(ServiceErrorKind::Protocol, error.to_string()))?,
        };
        let is_over = self.register(&id, sender, notification, now)?;
        let mut receipt = Receipt::new(id.clone());
        let mut changes = Vec::new();
        for user in user_ids.iter().collect::<BTreeSet<_>>() {
            if is_over || self.schedule.has(&id, user) || self.log(user).was_added(&id) {
                receipt.duplicates += 1;
            } else if let Some(due) = notification.send_after.filter(|due| *due > now) {
                self.schedule.schedule(due, &id, user);
                receipt.scheduled += 1;
            } else {
                let added = self.log(user).add(&id, notification, sender, now, counters.tag());
                changes.extend(added.map(|change| (user.clone(), change)));
            }
        }
        receipt.accepted = changes.len() as u64;
        Ok((receipt, changes))
    }

    /// Registers the notification under its id. Returns whether it is no longer delivered.
    fn register(
        &mut self,
        id: &NotificationId,
        sender: &str,
        notification: &InternalNotification,
        now: Timestamp,
    ) -> Result<bool, ServiceError> {
        let has_expired = notification.expires_at.is_some_and(|time| time <= now);
        let body = body(notification);
        if let Some(stored) = self.notifications.get(id) {
            if stored.sender == sender && stored.body == body {
                return Ok(stored.is_withdrawn || has_expired);
            }
            let detail = format!("the id {id} belongs to another notification, or to another sender");
            return Err(ServiceError::new(ServiceErrorKind::Conflict, detail));
        }
        if has_expired {
            return Err(ServiceError::new(ServiceErrorKind::Invalid, "the notification has expired"));
        }
        let (sender, notification) = (sender.to_owned(), notification.clone());
        self.schedule.expire(&notification, id);
        self.notifications
            .insert(id.clone(), StoredNotification { sender, body, notification, is_withdrawn: false });
        Ok(false)
    }

    /// Performs a write of a user. Returns the change it made, if any.
    pub(crate) fn write(
        &mut self,
        user: &UserId,
        command: &InboxCommand,
        op: &OpId,
        now: Timestamp,
        counters: &mut Counters,
    ) -> Result<(WriteAnswer, Option<Change>), ServiceError> {
        let log = self.log(user);
        let before = log.head().position;
        let answer = log.write(command, Some(op), now, counters.tag()).map_err(|refused| {
            let kind = match refused {
                Refused::Unknown => ServiceErrorKind::Unknown,
                Refused::Diverged => ServiceErrorKind::Conflict,
                _ => ServiceErrorKind::Invalid,
            };
            ServiceError::new(kind, refused.to_string())
        })?;
        let change = match log.changes(before, 1, 1) {
            ChangesAnswer::Changes { mut changes, .. } => changes.pop(),
            ChangesAnswer::Reset { .. } => None,
        };
        Ok((answer, change))
    }

    /// Returns a whole inbox.
    pub(crate) fn page(&self, user: &UserId) -> InboxPage {
        self.logs.get(user).map(|log| log.page(usize::MAX, None)).unwrap_or_default()
    }

    pub(crate) fn trim(&mut self) {
        self.logs.values_mut().for_each(|log| log.trim(u64::MAX));
    }

    /// Returns a user's inbox, which may be empty.
    pub(crate) fn log(&mut self, user: &UserId) -> &mut InboxLog {
        self.logs.entry(user.clone()).or_default()
    }
}
