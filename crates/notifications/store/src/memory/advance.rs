use std::time::Duration;

use internal_notifications_models::{NotificationId, RemovedReason, Retraction, Timestamp};

use super::contents::Contents;
use super::transaction::Transaction;
use crate::{Advanced, StoreError, StoreErrorKind};

/// Retracts a notification from all inboxes.
pub(super) fn retract(
    transaction: &mut Transaction<'_>,
    id: &NotificationId,
    at: Timestamp,
) -> Result<Retraction, StoreError> {
    if !transaction.contents.notifications.contains_key(id) {
        return Err(StoreError::new(StoreErrorKind::NotFound));
    }
    let cancelled = cancel(transaction.contents, id);
    let at = at.as_millisecond();
    transaction.contents.plan_withdrawal(id, at, RemovedReason::Retracted);
    let removed = withdraw(transaction, id, RemovedReason::Retracted, at, usize::MAX);
    Ok(Retraction::new(id.clone()).with_cancelled(cancelled).with_removed(removed))
}

/// Processes due withdrawals, then due deliveries, so that no withdrawn notification is delivered.
pub(super) fn run(transaction: &mut Transaction<'_>, now: Timestamp, limit: usize) -> Advanced {
    let (now, limit) = (now.as_millisecond(), limit.max(1));
    let mut done = Advanced::default();
    let remaining = |done: &Advanced| {
        limit.saturating_sub(usize::try_from(done.withdrawn + done.delivered).unwrap_or(usize::MAX))
    };
    while remaining(&done) > 0
        && let Some((id, reason)) = due_withdrawal(transaction.contents, now)
    {
        done.expired += cancel(transaction.contents, &id);
        done.withdrawn += withdraw(transaction, &id, reason, now, remaining(&done));
    }
    while remaining(&done) > 0
        && let Some(first) = transaction.contents.scheduled.first_entry().filter(|first| first.key().0 <= now)
    {
        let ((due, _, user), id) = first.remove_entry();
        if done.delivered == 0 {
            done.lateness = Duration::from_millis(now.saturating_sub(due).max(0).cast_unsigned());
        }
        if let Some(notification) = transaction.contents.notifications.get_mut(&id) {
            notification.scheduled.remove(&user);
        }
        transaction.add(&user, &id, now);
        done.delivered += 1;
    }
    done
}

fn due_withdrawal(contents: &Contents, now: i64) -> Option<(NotificationId, RemovedReason)> {
    let ((due, _), withdrawal) = contents.withdrawals.first_key_value()?;
    (*due <= now).then(|| withdrawal.clone())
}

/// Removes a notification from at most `limit` inboxes, and returns their number. Ends its planned
/// withdrawal once no inbox has it.
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
    let mut holders = notification.recipients.iter().filter(|user| has(transaction.contents, user));
    let users: Vec<_> = holders.by_ref().take(limit).cloned().collect();
    let is_complete = holders.next().is_none();
    for user in &users {
        transaction.withdraw(user, std::slice::from_ref(id), reason, at);
    }
    if is_complete
        && let Some(notification) = transaction.contents.notifications.get_mut(id)
        && let Some(due) = notification.withdrawal.take()
    {
        notification.withdrawn_at = notification.withdrawn_at.max(at);
        transaction.contents.withdrawals.remove(&(due, notification.stored.key));
    }
    users.len() as u64
}

/// Marks a notification withdrawn, and returns how many scheduled deliveries were cancelled.
fn cancel(contents: &mut Contents, id: &NotificationId) -> u64 {
    let Some(notification) = contents.notifications.get_mut(id) else { return 0 };
    notification.stored.withdrawn = true;
    let scheduled = std::mem::take(&mut notification.scheduled);
    let cancelled = scheduled.len() as u64;
    for (user, due) in scheduled {
        contents.scheduled.remove(&(due, notification.stored.key, user));
    }
    cancelled
}
