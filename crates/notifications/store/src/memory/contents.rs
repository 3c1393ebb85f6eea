use std::collections::{BTreeMap, BTreeSet};

use internal_notifications_models::{
    Head, InternalNotification, NotificationId, Receipt, RemovedReason, UserId,
};
use internal_notifications_service::InboxLog;

use super::inbox::Inbox;
use crate::StoreTime;
use crate::rules::push::StoredNotification;
use crate::rules::rounds::Place;

/// All data. Times are milliseconds, as in databases.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// The inboxes of all users who ever had a change.
    pub(super) inboxes: BTreeMap<UserId, Inbox>,
    pub(super) notifications: BTreeMap<NotificationId, Notification>,
    /// The users who are scheduled to receive a notification.
    pub(super) scheduled: BTreeMap<Place, (NotificationId, BTreeSet<UserId>)>,
    /// Planned withdrawals.
    pub(super) withdrawals: BTreeMap<Place, (NotificationId, RemovedReason)>,
    /// Answers by sender and idempotency key.
    pub(super) answers: BTreeMap<(String, String), Answer>,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) recorded_time: StoreTime,
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

    /// Ends the planned withdrawal of a notification.
    pub(super) fn end_withdrawal(&mut self, id: &NotificationId, at: i64) {
        let Some(notification) = self.notifications.get_mut(id) else { return };
        notification.withdrawn_at = notification.withdrawn_at.max(at);
        if let Some(due_at) = notification.withdrawal.take() {
            self.withdrawals.remove(&(due_at, notification.stored.key));
        }
    }

    /// Marks a notification as withdrawn, so that nobody receives it any more.
    pub(super) fn mark_withdrawn(&mut self, id: &NotificationId) {
        if let Some(notification) = self.notifications.get_mut(id) {
            notification.stored.withdrawn = true;
        }
    }

    /// Returns whether a notification is withdrawn, or is to be by now.
    pub(super) fn is_over(&self, id: &NotificationId, now: i64) -> bool {
        let is_over =
            |of: &Notification| of.stored.withdrawn || of.withdrawal.is_some_and(|due_at| due_at <= now);
        self.notifications.get(id).is_none_or(is_over)
    }

    /// Schedules the delivery of a notification.
    pub(super) fn schedule(&mut self, id: &NotificationId, user: &UserId, due_at: i64) {
        let Some(notification) = self.notifications.get_mut(id) else { return };
        notification.scheduled.insert(user.clone(), due_at);
        let place = (due_at, notification.stored.key);
        let (_, users) = self.scheduled.entry(place).or_insert_with(|| (id.clone(), BTreeSet::new()));
        users.insert(user.clone());
    }

    /// Removes a scheduled delivery.
    pub(super) fn unschedule(&mut self, id: &NotificationId, user: &UserId, due_at: i64) {
        let Some(notification) = self.notifications.get_mut(id) else { return };
        notification.scheduled.remove(user);
        let place = (due_at, notification.stored.key);
        if let Some((_, users)) = self.scheduled.get_mut(&place) {
            users.remove(user);
            if users.is_empty() {
                self.scheduled.remove(&place);
            }
        }
    }
}
