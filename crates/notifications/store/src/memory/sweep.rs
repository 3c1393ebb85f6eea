use std::ops::Bound;

use internal_notifications_models::{Change, NotificationId, RemovedReason, UserId};

use super::contents::Contents;
use super::inbox::Inbox;
use super::transaction::Transaction;
use crate::rules::cuts::Cuts;
use crate::{Sweep, Swept};

/// Looks after some inboxes. Their counters cannot be wrong: `InboxLog` has no other way to count.
pub(super) fn run(transaction: &mut Transaction<'_>, sweep: &Sweep) -> Swept {
    let (cuts, now) = (sweep.cuts(), sweep.now.as_millisecond());
    let (mut swept, limit) = (Swept::default(), sweep.limit.max(1));
    let after = sweep.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let inboxes = transaction.contents.inboxes.range::<UserId, _>((after, Bound::Unbounded));
    let users: Vec<_> = inboxes.map(|(user, _)| user.clone()).take(limit).collect();
    for user in &users {
        let Some(inbox) = transaction.contents.inboxes.get(user) else { continue };
        let old = too_much(inbox, &cuts);
        swept.pruned += transaction.withdraw(user, &old, RemovedReason::Pruned, now);
        swept.trimmed += trim(transaction.contents, user, &cuts);
        swept.inboxes += 1;
    }
    match users.last() {
        Some(last) if users.len() == limit => swept.next = Some(last.clone()),
        _ => forget(transaction.contents, &cuts),
    }
    swept
}

/// The notifications that are older or more than what is kept, oldest first.
fn too_much(inbox: &Inbox, cuts: &Cuts) -> Vec<NotificationId> {
    let count = usize::try_from(cuts.count).unwrap_or(usize::MAX);
    let beyond = inbox.log.rows().count().saturating_sub(count);
    let rows = inbox.log.rows().enumerate();
    rows.filter(|(place, row)| *place < beyond || row.created_at.as_millisecond() <= cuts.age)
        .map(|(_, row)| row.id.clone())
        .collect()
}

/// Up to which seq the log is to be cut.
fn floor(inbox: &Inbox, cuts: &Cuts) -> u64 {
    let floor = inbox.log.floor();
    let is_old = |change: &Change| change.stamp.at.as_millisecond() <= cuts.log_age;
    let old = inbox.log.records(floor).take_while(is_old).last().map_or(floor, |change| change.stamp.seq);
    cuts.floor(inbox.seq(), old, inbox.publication.as_ref().map(|of| of.published)).max(floor)
}

/// Cuts the log, and forgets what was removed long ago and is in the log no more.
fn trim(contents: &mut Contents, user: &UserId, cuts: &Cuts) -> u64 {
    let Some(inbox) = contents.inboxes.get_mut(user) else { return 0 };
    let floor = floor(inbox, cuts);
    let trimmed = floor - inbox.log.floor();
    inbox.log.trim(floor);
    for (id, _) in inbox.removed.extract_if(.., |_, of| of.at <= cuts.ids && of.added <= floor) {
        inbox.log.forget(&id);
        if let Some(notification) = contents.notifications.get_mut(&id) {
            notification.held.remove(user);
        }
    }
    trimmed
}

/// Forgets old notifications that nobody has or is to get, and old idempotency keys.
fn forget(contents: &mut Contents, cuts: &Cuts) {
    contents.notifications.retain(|_, of| {
        of.created_at > cuts.ids || !of.held.is_empty() || !of.waiting.is_empty() || of.leaves.is_some()
    });
    contents.answers.retain(|_, answer| answer.at > cuts.keys);
}
