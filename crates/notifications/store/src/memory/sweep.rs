use std::ops::Bound;

use internal_notifications_models::{Change, NotificationId, RemovedReason, UserId};

use super::contents::Contents;
use super::inbox::Inbox;
use super::transaction::Transaction;
use crate::rules::cutoffs::Cutoffs;
use crate::{Sweep, Swept};

/// Sweeps some inboxes. Their counts cannot be wrong, since `InboxLog` derives them.
pub(super) fn run(transaction: &mut Transaction<'_>, sweep: &Sweep) -> Swept {
    let (cutoffs, now) = (sweep.cutoffs(), sweep.now.as_millisecond());
    let (mut swept, limit) = (Swept::default(), sweep.limit.max(1));
    let after = sweep.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let inboxes = transaction.contents.inboxes.range::<UserId, _>((after, Bound::Unbounded));
    let users: Vec<_> = inboxes.map(|(user, _)| user.clone()).take(limit).collect();
    for user in &users {
        let Some(inbox) = transaction.contents.inboxes.get(user) else { continue };
        let excess = excess(inbox, &cutoffs);
        swept.pruned += transaction.withdraw(user, &excess, RemovedReason::Pruned, now);
        swept.trimmed += trim(transaction.contents, user, &cutoffs);
        swept.inboxes += 1;
    }
    match users.last() {
        Some(last) if users.len() == limit => swept.next = Some(last.clone()),
        _ => swept.forgotten = forget(transaction.contents, &cutoffs),
    }
    swept
}

/// Returns the notifications at the start of an inbox that are too old or too many.
fn excess(inbox: &Inbox, cutoffs: &Cutoffs) -> Vec<NotificationId> {
    let count = usize::try_from(cutoffs.count).unwrap_or(usize::MAX);
    let beyond = inbox.log.rows().count().saturating_sub(count);
    let rows = inbox.log.rows().enumerate();
    rows.take_while(|(place, row)| *place < beyond || row.created_at.as_millisecond() <= cutoffs.added_at)
        .map(|(_, row)| row.id.clone())
        .collect()
}

/// Returns the seq up to which the log is to be cut.
fn floor(inbox: &Inbox, cutoffs: &Cutoffs) -> u64 {
    let floor = inbox.log.floor();
    let is_old = |change: &Change| change.stamp.at.as_millisecond() <= cutoffs.changed_at;
    let expired = inbox.log.records(floor).take_while(is_old).last().map_or(floor, |change| change.stamp.seq);
    cutoffs.floor(inbox.seq(), expired, inbox.publication.as_ref().map(|of| of.published)).max(floor)
}

/// Cuts the log, and forgets notifications that were removed long ago and are no longer in it.
/// Returns how many changes were cut.
fn trim(contents: &mut Contents, user: &UserId, cutoffs: &Cutoffs) -> u64 {
    let Some(inbox) = contents.inboxes.get_mut(user) else { return 0 };
    let floor = floor(inbox, cutoffs);
    let trimmed = floor - inbox.log.floor();
    inbox.log.trim(floor);
    for (id, _) in inbox.removed.extract_if(.., |_, of| of.at <= cutoffs.removed_at && of.added <= floor) {
        inbox.log.forget(&id);
        if let Some(notification) = contents.notifications.get_mut(&id) {
            notification.recipients.remove(user);
        }
    }
    trimmed
}

/// Forgets notifications to which nothing has referred for long enough, and old idempotency keys.
/// Returns the number of these notifications.
fn forget(contents: &mut Contents, cutoffs: &Cutoffs) -> u64 {
    let before = contents.notifications.len();
    contents.notifications.retain(|_, of| {
        of.created_at.max(of.withdrawn_at) > cutoffs.removed_at
            || !of.recipients.is_empty()
            || !of.scheduled.is_empty()
            || of.withdrawal.is_some()
    });
    contents.answers.retain(|_, answer| answer.at > cutoffs.key_used_at);
    (before - contents.notifications.len()) as u64
}
