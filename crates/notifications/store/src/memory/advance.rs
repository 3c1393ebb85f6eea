use std::time::Duration;

use internal_notifications_models::{NotificationId, RemovedReason, Retraction, Timestamp};

use super::contents::Contents;
use super::transaction::Transaction;
use crate::{Advanced, StoreError, StoreErrorKind};

/// Takes a notification back, all of it at once.
pub(super) fn retract(
    transaction: &mut Transaction<'_>,
    id: &NotificationId,
    at: Timestamp,
) -> Result<Retraction, StoreError> {
    if !transaction.contents.notifications.contains_key(id) {
        return Err(StoreError::new(StoreErrorKind::NotFound));
    }
    let cancelled = give_to_nobody(transaction.contents, id);
    let at = at.as_millisecond();
    transaction.contents.plan(id, at, RemovedReason::Retracted);
    let removed = withdraw(transaction, id, RemovedReason::Retracted, at, usize::MAX);
    Ok(Retraction::new(id.clone()).with_cancelled(cancelled).with_removed(removed))
}

/// Does what is due: leaving first, so that nothing enters that is over.
pub(super) fn run(transaction: &mut Transaction<'_>, now: Timestamp, limit: usize) -> Advanced {
    let (now, limit) = (now.as_millisecond(), limit.max(1));
    let mut done = Advanced::default();
    let left = |done: &Advanced| {
        limit.saturating_sub(usize::try_from(done.withdrawn + done.delivered).unwrap_or(usize::MAX))
    };
    while left(&done) > 0
        && let Some((id, reason)) = due_to_leave(transaction.contents, now)
    {
        done.expired += give_to_nobody(transaction.contents, &id);
        done.withdrawn += withdraw(transaction, &id, reason, now, left(&done));
    }
    while left(&done) > 0
        && let Some(first) = transaction.contents.scheduled.first_entry().filter(|first| first.key().0 <= now)
    {
        let ((due, _, user), id) = first.remove_entry();
        if done.delivered == 0 {
            done.lateness = Duration::from_millis(now.saturating_sub(due).max(0).cast_unsigned());
        }
        if let Some(notification) = transaction.contents.notifications.get_mut(&id) {
            notification.waiting.remove(&user);
        }
        transaction.add(&user, &id, now);
        done.delivered += 1;
    }
    done
}

fn due_to_leave(contents: &Contents, now: i64) -> Option<(NotificationId, RemovedReason)> {
    let ((due, _), leaving) = contents.withdrawals.first_key_value()?;
    (*due <= now).then(|| leaving.clone())
}

/// Takes a notification out of at most `limit` inboxes, and says of how many; plans nothing more for it once it has left all.
fn withdraw(
    transaction: &mut Transaction<'_>,
    id: &NotificationId,
    reason: RemovedReason,
    at: i64,
    limit: usize,
) -> u64 {
    let has =
        |contents: &Contents, user| contents.log(user).is_some_and(|log| log.notification(id).is_some());
    let Some(notification) = transaction.contents.notifications.get(id) else { return 0 };
    let mut holders = notification.held.iter().filter(|user| has(transaction.contents, user));
    let users: Vec<_> = holders.by_ref().take(limit).cloned().collect();
    let all = holders.next().is_none();
    for user in &users {
        transaction.withdraw(user, std::slice::from_ref(id), reason, at);
    }
    if all
        && let Some(notification) = transaction.contents.notifications.get_mut(id)
        && let Some(due) = notification.leaves.take()
    {
        transaction.contents.withdrawals.remove(&(due, notification.known.key));
    }
    users.len() as u64
}

/// Nobody gets it any more; how many would have.
fn give_to_nobody(contents: &mut Contents, id: &NotificationId) -> u64 {
    let Some(notification) = contents.notifications.get_mut(id) else { return 0 };
    notification.known.withdrawn = true;
    let waiting = std::mem::take(&mut notification.waiting);
    let cancelled = waiting.len() as u64;
    for (user, due) in waiting {
        contents.scheduled.remove(&(due, notification.known.key, user));
    }
    cancelled
}
