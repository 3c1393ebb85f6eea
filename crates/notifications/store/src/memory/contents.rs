use std::collections::{BTreeMap, BTreeSet};

use internal_notifications_models::{
    Head, InternalNotification, NotificationId, Receipt, RemovedReason, UserId,
};
use internal_notifications_service::InboxLog;

use super::inbox::Inbox;
use crate::rules::push::StoredNotification;

/// Everything that is kept, ordered. Times are milliseconds, as databases keep them.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// One for each user who ever had a change.
    pub(super) inboxes: BTreeMap<UserId, Inbox>,
    pub(super) notifications: BTreeMap<NotificationId, Notification>,
    /// Who is to get what, by due time and age of the notification.
    pub(super) scheduled: BTreeMap<(i64, i64, UserId), NotificationId>,
    /// What is to leave the inboxes, by due time and age of the notification.
    pub(super) withdrawals: BTreeMap<(i64, i64), (NotificationId, RemovedReason)>,
    /// By sender and idempotency key.
    pub(super) answers: BTreeMap<(String, String), Answer>,
    pub(super) settings: BTreeMap<String, String>,
    /// The store that has the embedded broker.
    pub(super) broker_owner: Option<u64>,
    last_notification: i64,
    last_owner: u64,
}

/// A notification that was pushed.
#[derive(Clone, Debug)]
pub(super) struct Notification {
    pub(super) known: StoredNotification,
    pub(super) body: InternalNotification,
    /// Of its body, as pages are bounded by them.
    pub(super) bytes: usize,
    pub(super) created_at: i64,
    /// Who has it, or had it as far as is remembered.
    pub(super) held: BTreeSet<UserId>,
    /// Who is to get it, and when.
    pub(super) waiting: BTreeMap<UserId, i64>,
    /// When it is to leave the inboxes, unless it has.
    pub(super) leaves: Option<i64>,
}

/// What a request with an idempotency key was answered.
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

    /// The bytes of a notification's body.
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

    /// Plans when a notification is to leave the inboxes, instead of what was planned.
    pub(super) fn plan(&mut self, id: &NotificationId, due_at: i64, reason: RemovedReason) {
        let Some(notification) = self.notifications.get_mut(id) else { return };
        let key = notification.known.key;
        if let Some(before) = notification.leaves.replace(due_at) {
            self.withdrawals.remove(&(before, key));
        }
        self.withdrawals.insert((due_at, key), (id.clone(), reason));
    }
}
