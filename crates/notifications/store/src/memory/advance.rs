use std::ops::Bound;
use std::time::Duration;

use internal_notifications_models::{NotificationId, RemovedReason, Retraction, Timestamp, UserId};

use super::contents::Contents;
use super::transaction::Transaction;
use crate::rules::rounds::{Place, Rounds, share};
use crate::rules::withdrawal::{AT_ONCE, CANCELLED, is_small};
use crate::{Advanced, StoreError, StoreErrorKind};

/// How far a store is with what is due.
#[derive(Debug, Default)]
pub(super) struct Progress {
    withdrawals: Rounds,
    deliveries: Rounds,
}

/// Retracts a notification.
pub(super) fn retract(
    transaction: &mut Transaction<'_>,
    id: &NotificationId,
    at: Timestamp,
) -> Result<Retraction, StoreError> {
    let Some(notification) = transaction.contents.notifications.get_mut(id) else {
        return Err(StoreError::new(StoreErrorKind::NotFound));
    };
    let (retraction, at) = (Retraction::new(id.clone()), at.as_millisecond());
    if notification.stored.withdrawn {
        notification.withdrawn_at = notification.withdrawn_at.max(at);
        return Ok(retraction);
    }
    let cancelled = notification.scheduled.len() as u64;
    let removed = holders(transaction.contents, id).count() as u64;
    transaction.contents.mark_withdrawn(id);
    transaction.contents.plan_withdrawal(id, AT_ONCE, RemovedReason::Retracted);
    if is_small(removed) {
        withdraw(transaction, id, RemovedReason::Retracted, at, usize::MAX);
        if cancel(transaction.contents, id, CANCELLED) < CANCELLED {
            transaction.contents.end_withdrawal(id, at);
        }
    }
    Ok(retraction.with_cancelled(cancelled).with_removed(removed))
}

/// Takes a step with due withdrawals, then one with due deliveries.
pub(super) fn run(
    transaction: &mut Transaction<'_>,
    progress: &Progress,
    now: Timestamp,
    limit: usize,
) -> Advanced {
    let (now, limit) = (now.as_millisecond(), limit.max(1));
    let mut done = continue_withdrawals(transaction, &progress.withdrawals, now, limit);
    done += deliver(transaction, &progress.deliveries, now, limit);
    done
}

fn continue_withdrawals(
    transaction: &mut Transaction<'_>,
    rounds: &Rounds,
    now: i64,
    limit: usize,
) -> Advanced {
    let due = |after: Place| {
        let next = transaction.contents.withdrawals.range((Bound::Excluded(after), Bound::Unbounded));
        let due = next.take_while(|((due, _), _)| *due <= now).take(limit);
        due.map(|(place, (id, reason))| (*place, id.clone(), *reason)).collect::<Vec<_>>()
    };
    let due = rounds.places().map(due).find(|due| !due.is_empty()).unwrap_or_default();
    let last = due.last().filter(|_| due.len() == limit).map(|(place, ..)| *place);
    rounds.continue_after(last);
    let mut done = Advanced { has_more: !due.is_empty(), ..Advanced::default() };
    let (inboxes, scheduled) = (share(limit, due.len()), share(CANCELLED, due.len()));
    for (_, id, reason) in due {
        transaction.contents.mark_withdrawn(&id);
        let cancelled = cancel(transaction.contents, &id, scheduled);
        let withdrawn = withdraw(transaction, &id, reason, now, inboxes);
        if cancelled < scheduled && withdrawn < inboxes {
            transaction.contents.end_withdrawal(&id, now);
        }
        done.withdrawn += withdrawn as u64;
        // A retraction has already counted those that it cancels.
        if reason == RemovedReason::Expired {
            done.expired += cancelled as u64;
        }
    }
    done
}

/// Returns the users whose inbox has the notification.
fn holders<'c>(contents: &'c Contents, id: &'c NotificationId) -> impl Iterator<Item = &'c UserId> {
    let recipients = contents.notifications.get(id).into_iter().flat_map(|of| &of.recipients);
    recipients.filter(|user| contents.log(user).is_some_and(|log| log.notification(id).is_some()))
}

/// Removes a notification from at most `limit` inboxes, and returns their number.
fn withdraw(
    transaction: &mut Transaction<'_>,
    id: &NotificationId,
    reason: RemovedReason,
    at: i64,
    limit: usize,
) -> usize {
    let users: Vec<_> = holders(transaction.contents, id).take(limit).cloned().collect();
    for user in &users {
        transaction.withdraw(user, std::slice::from_ref(id), reason, at);
    }
    users.len()
}

/// Cancels at most `limit` scheduled deliveries, and returns their number.
fn cancel(contents: &mut Contents, id: &NotificationId, limit: usize) -> usize {
    let Some(notification) = contents.notifications.get(id) else { return 0 };
    let next: Vec<_> =
        notification.scheduled.iter().take(limit).map(|(user, due)| (user.clone(), *due)).collect();
    for (user, due) in &next {
        contents.unschedule(id, user, *due);
    }
    next.len()
}

fn deliver(transaction: &mut Transaction<'_>, rounds: &Rounds, now: i64, limit: usize) -> Advanced {
    let due = |after: Place| {
        let next = transaction.contents.scheduled.range((Bound::Excluded(after), Bound::Unbounded));
        let due = next.take_while(|((due, _), _)| *due <= now).take(limit);
        due.map(|(place, of)| (*place, of.clone())).collect::<Vec<_>>()
    };
    let due = rounds.places().map(due).find(|due| !due.is_empty()).unwrap_or_default();
    let last = due.last().filter(|_| due.len() == limit).map(|(place, _)| *place);
    rounds.continue_after(last);
    let share = share(limit, due.len());
    let mut done = Advanced::default();
    for ((due_at, _), (id, users)) in due {
        if transaction.contents.is_over(&id, now) {
            continue;
        }
        if done.delivered == 0 {
            done.lateness = Duration::from_millis(now.saturating_sub(due_at).max(0).cast_unsigned());
        }
        for user in users.into_iter().take(share) {
            transaction.contents.unschedule(&id, &user, due_at);
            transaction.add(&user, &id, now);
            done.delivered += 1;
        }
    }
    done.has_more = done.delivered > 0 || last.is_some();
    done
}
