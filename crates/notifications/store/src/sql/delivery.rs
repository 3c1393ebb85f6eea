use std::collections::{BTreeMap, HashSet};

use internal_notifications_models::{Receipt, UserId};

use super::journal::{ChangeBody, Inbox, Journal, ScheduledRow};
use crate::rules::push::{NewPush, StoredNotification};

impl NewPush {
    /// Gives the notification to those who never had it, now or when it is due. `had` names, for its key, the users who have it, had it or
    /// are to get it.
    pub(crate) fn deliver(
        &self,
        notification: &StoredNotification,
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
                journal.record(inbox, self.at, ChangeBody::Added(notification.key));
                receipt.accepted += 1;
            }
        }
        receipt
    }
}
