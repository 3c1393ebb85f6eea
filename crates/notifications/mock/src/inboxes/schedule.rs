use std::collections::BTreeSet;

use internal_notifications_models::{
    Change, InternalNotification, NotificationId, RemovedReason, Retraction, Timestamp, UserId,
};
use internal_notifications_service::{ServiceError, ServiceErrorKind};

use super::Inboxes;
use crate::counters::Counters;

/// Notifications that will be delivered or expire later.
#[derive(Clone, Default)]
pub(super) struct Schedule {
    /// In the order of their pushes.
    scheduled: Vec<Scheduled>,
    expiring: BTreeSet<(Timestamp, NotificationId)>,
}

#[derive(Clone)]
struct Scheduled {
    at: Timestamp,
    id: NotificationId,
    user: UserId,
}

impl Schedule {
    pub(super) fn schedule(&mut self, at: Timestamp, id: &NotificationId, user: &UserId) {
        self.scheduled.push(Scheduled { at, id: id.clone(), user: user.clone() });
    }

    pub(super) fn expire(&mut self, notification: &InternalNotification, id: &NotificationId) {
        self.expiring.extend(notification.expires_at.map(|at| (at, id.clone())));
    }

    /// Returns whether the notification will be delivered to the user later.
    pub(super) fn has(&self, id: &NotificationId, user: &UserId) -> bool {
        self.scheduled.iter().any(|scheduled| scheduled.id == *id && scheduled.user == *user)
    }

    fn next(&self) -> Option<Timestamp> {
        let scheduled = self.scheduled.iter().map(|scheduled| scheduled.at).min();
        let expiring = self.expiring.first().map(|(at, _)| *at);
        scheduled.into_iter().chain(expiring).min()
    }
}

impl Inboxes {
    /// Returns the time of the next delivery or expiry.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.schedule.next()
    }

    /// Removes expired notifications, then delivers those that are due, oldest first.
    pub(crate) fn run_due(&mut self, now: Timestamp, counters: &mut Counters) -> Vec<(UserId, Change)> {
        let mut changes = Vec::new();
        while self.schedule.expiring.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, id)) = self.schedule.expiring.pop_first() else { break };
            if let Ok((_, removed)) = self.withdraw(&id, RemovedReason::Expired, now, counters) {
                changes.extend(removed);
            }
        }
        let (mut due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.schedule.scheduled)
            .into_iter()
            .partition(|scheduled| scheduled.at <= now);
        self.schedule.scheduled = rest;
        due.sort_by_key(|scheduled| scheduled.at);
        for Scheduled { id, user, .. } in due {
            let Some(stored) = self.notifications.get(&id).cloned() else { continue };
            let added = self.log(&user).add(&id, &stored.notification, &stored.sender, now, counters.tag());
            changes.extend(added.map(|change| (user, change)));
        }
        changes
    }

    /// Removes a notification from all inboxes and cancels its later deliveries.
    pub(crate) fn withdraw(
        &mut self,
        id: &NotificationId,
        reason: RemovedReason,
        now: Timestamp,
        counters: &mut Counters,
    ) -> Result<(Retraction, Vec<(UserId, Change)>), ServiceError> {
        let Some(stored) = self.notifications.get_mut(id) else {
            let detail = format!("no notification with the id {id} was ever pushed");
            return Err(ServiceError::new(ServiceErrorKind::Unknown, detail));
        };
        stored.is_withdrawn = true;
        let before = self.schedule.scheduled.len();
        self.schedule.scheduled.retain(|scheduled| scheduled.id != *id);
        let cancelled = (before - self.schedule.scheduled.len()) as u64;
        let mut changes = Vec::new();
        for (user, log) in self.logs.iter_mut().filter(|(_, log)| log.notification(id).is_some()) {
            let removed = log.withdraw(std::slice::from_ref(id), reason, now, counters.tag());
            changes.extend(removed.map(|change| (user.clone(), change)));
        }
        let retraction =
            Retraction::new(id.clone()).with_cancelled(cancelled).with_removed(changes.len() as u64);
        Ok((retraction, changes))
    }
}
