use std::ops::Bound;
use std::time::Duration;

use internal_notifications_models::{NotificationId, RemovedReason, UserId};

use super::contents::Contents;
use super::inbox::Inbox;
use super::transaction::Transaction;
use crate::store::retention::ago;
use crate::store::{Sweep, Swept};

/// Looks after some inboxes. Their counters cannot be wrong: `InboxLog` has no other way to count.
pub(super) fn run(transaction: &mut Transaction<'_>, sweep: &Sweep) -> Swept {
    let mut swept = Swept::default();
    let after = sweep.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let range = transaction.contents.inboxes.range::<UserId, _>((after, Bound::Unbounded));
    let users: Vec<_> = range.map(|(user, _)| user.clone()).take(sweep.inboxes.max(1)).collect();
    for user in &users {
        let old =
            transaction.contents.inboxes.get(user).map(|inbox| too_much(inbox, sweep)).unwrap_or_default();
        let now = sweep.now.as_millisecond();
        swept.pruned += transaction.withdraw(user, &old, RemovedReason::Pruned, now);
        swept.trimmed += trim(transaction.contents, user, sweep);
        swept.inboxes += 1;
    }
    match users.last() {
        Some(last) if users.len() == sweep.inboxes.max(1) => swept.next = Some(last.clone()),
        _ => forget(transaction.contents, sweep),
    }
    swept
}

fn cut(sweep: &Sweep, age: Option<Duration>) -> i64 {
    age.map_or(i64::MIN, |age| ago(sweep.now, age))
}

/// The notifications that are older or more than what is kept, oldest first.
fn too_much(inbox: &Inbox, sweep: &Sweep) -> Vec<NotificationId> {
    let age = cut(sweep, sweep.keep.age);
    let count = sweep.keep.count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
    let beyond = inbox.log.rows().count().saturating_sub(count);
    let rows = inbox.log.rows().enumerate();
    rows.filter(|(place, row)| *place < beyond || row.created_at.as_millisecond() <= age)
        .map(|(_, row)| row.id.clone())
        .collect()
}

/// Cuts the log, and forgets what was removed below the cut long ago.
fn trim(contents: &mut Contents, user: &UserId, sweep: &Sweep) -> u64 {
    let Some(inbox) = contents.inboxes.get_mut(user) else { return 0 };
    let (seq, floor) = (inbox.seq(), inbox.log.floor());
    let age = cut(sweep, sweep.keep.log_age);
    let is_old = |change: &internal_notifications_models::Change| change.stamp.at.as_millisecond() <= age;
    let old = inbox.log.records(floor).take_while(is_old).last().map_or(floor, |change| change.stamp.seq);
    let beyond = sweep.keep.log_count.map_or(0, |count| seq.saturating_sub(count));
    let published = inbox.publication.as_ref().map_or(seq, |of| of.published);
    let through = old.max(beyond).min(published).max(floor);
    inbox.log.trim(through);
    let ids = cut(sweep, Some(sweep.keep.ids));
    let forgotten = inbox.removed.extract_if(.., |_, of| of.at <= ids && of.added <= through);
    for (id, _) in forgotten {
        inbox.log.forget(&id);
        if let Some(notification) = contents.notifications.get_mut(&id) {
            notification.held.remove(user);
        }
    }
    through - floor
}

/// Forgets old notifications that nobody has or is to get, and old idempotency keys.
fn forget(contents: &mut Contents, sweep: &Sweep) {
    let ids = cut(sweep, Some(sweep.keep.ids));
    contents.notifications.retain(|_, of| {
        of.created_at > ids || !of.held.is_empty() || !of.waiting.is_empty() || of.leaves.is_some()
    });
    let keys = cut(sweep, Some(sweep.keep.keys));
    contents.answers.retain(|_, answer| answer.at > keys);
}
