use std::collections::{BTreeMap, BTreeSet};

use internal_notifications_models::{
    Head, InternalNotification, NotificationId, Receipt, RemovedReason, Timestamp, UserId,
};
use internal_notifications_service::InboxLog;

use super::inbox::Inbox;
use crate::rules::push::StoredNotification;

/// All data. Times are milliseconds, as in databases.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// The inboxes of all users who ever had a change.
    pub(super) inboxes: BTreeMap<UserId, Inbox>,
    pub(super) notifications: BTreeMap<NotificationId, Notification>,
    /// Scheduled deliveries, by due time, key of the notification and user.
    pub(super) scheduled: BTreeMap<(i64, i64, UserId), NotificationId>,
    /// Planned withdrawals, by due time and key of the notification.
    pub(super) withdrawals: BTreeMap<(i64, i64), (NotificationId, RemovedReason)>,
    /// Answers by sender and idempotency key.
    pub(super) answers: BTreeMap<(String, String), Answer>,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) recorded_time: Option<Timestamp>,
    /// The store that has the embedded broker.
    pub(super) broker_owner: Option<u64>,
    last_notification: i64,
    last_owner: u64,
}

/// A stored notification.
#[derive(Clone, Debug)]
pub(super) struct Notification {
    pub(super) stored: StoredNotification,
    pub(super) body: InternalNotification,
    /// The bytes of its body.
    pub(super) bytes: usize,
    pub(super) created_at: i64,
    /// The users whose inbox has it, or had it and still remembers it.
    pub(super) recipients: BTreeSet<UserId>,
    /// The users who are scheduled to receive it, and when.
    pub(super) scheduled: BTreeMap<UserId, i64>,
    /// When its last withdrawal ended; the earliest time if there was none.
    pub(super) withdrawn_at: i64,
    /// When its withdrawal is due, if one is planned.
    pub(super) withdrawal: Option<i64>,
}

/// The answer to a request with an idempotency key.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) request: String,
    pub(super) receipt: Receipt,
    pub(super) at: i64,
}

impl Contents {
    pub(super) fn log(&self, user: &UserId) -> Option<&InboxLog> {
        self.inboxes.get(user).map(|inbox| &inbox.log)
    }

    pub(super) fn head(&self, user: &UserId) -> Head {
        self.log(user).map(InboxLog::head).unwrap_or_default()
    }

    /// Returns the bytes of a notification's body.
    pub(super) fn bytes(&self, id: &NotificationId) -> usize {
        self.notifications.get(id).map_or(0, |notification| notification.bytes)
    }

    pub(super) fn next_notification(&mut self) -> i64 {
        self.last_notification += 1;
        self.last_notification
    }

    pub(super) fn next_owner(&mut self) -> u64 {
        self.last_owner += 1;
        self.last_owner
    }

    /// Plans the withdrawal of a notification, in place of an earlier plan.
    pub(super) fn plan_withdrawal(&mut self, id: &NotificationId, due_at: i64, reason: RemovedReason) {
        let Some(notification) = self.notifications.get_mut(id) else { return };
        let key = notification.stored.key;
        if let Some(before) = notification.withdrawal.replace(due_at) {
            self.withdrawals.remove(&(before, key));
        }
        self.withdrawals.insert((due_at, key), (id.clone(), reason));
    }
}
