use std::time::Duration;

use internal_notifications_models::{Timestamp, UserId};
use sqlx::SqlitePool;

use super::row;
use super::transaction::Transaction;
use super::withdraw;
use crate::Advanced;
use crate::sql::failure::Failure;
use crate::sql::journal::ChangeBody;

/// Returns whether anything is due.
pub(super) async fn is_due(readers: &SqlitePool, now: Timestamp) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM withdrawals WHERE due_at <= ?1) OR EXISTS (SELECT 1 FROM scheduled WHERE due_at <= ?1)";
    Ok(sqlx::query_scalar(sql).bind(now.as_millisecond()).fetch_one(readers).await?)
}

/// Withdraws and delivers due notifications.
///
/// Starts every due withdrawal before it delivers, since a due withdrawal may cancel a scheduled
/// delivery.
pub(super) async fn run(
    transaction: &mut Transaction<'_>,
    now: Timestamp,
    limit: usize,
) -> Result<Advanced, Failure> {
    let mut done = Advanced::default();
    let mut left = limit.max(1);
    while left > 0 {
        let sql = "SELECT notification FROM withdrawals INDEXED BY withdrawals_by_time WHERE due_at <= ?1 ORDER BY due_at LIMIT 1";
        let query = sqlx::query_scalar(sql).bind(now.as_millisecond());
        let due: Option<i64> = query.fetch_optional(&mut *transaction.connection).await?;
        let Some(notification) = due else { break };
        let withdraw::Withdrawn { inboxes, cancelled, .. } =
            withdraw::withdraw(transaction, notification, now, left).await?;
        done.withdrawn += inboxes;
        done.expired += cancelled;
        left = left.saturating_sub(usize::try_from(inboxes).unwrap_or(usize::MAX).max(1));
    }
    if left > 0 {
        deliver(transaction, now, left, &mut done).await?;
    }
    Ok(done)
}

/// Delivers scheduled notifications that are due, the longest overdue first.
async fn deliver(
    transaction: &mut Transaction<'_>,
    now: Timestamp,
    limit: usize,
    done: &mut Advanced,
) -> Result<(), Failure> {
    let sql = "SELECT due_at, notification, user_id FROM scheduled INDEXED BY scheduled_by_time
               WHERE due_at <= ?1 ORDER BY due_at, notification, user_id LIMIT ?2";
    let query = sqlx::query_as(sql).bind(now.as_millisecond()).bind(row::limit(limit));
    let rows: Vec<(i64, i64, String)> = query.fetch_all(&mut *transaction.connection).await?;
    let due: Vec<_> = rows
        .into_iter()
        .map(|(due_at, notification, user)| Ok((due_at, notification, UserId::new(user)?)))
        .collect::<Result<_, Failure>>()?;
    let (Some((first, ..)), Some(last)) = (due.first(), due.last()) else { return Ok(()) };
    done.lateness = Duration::from_millis(now.as_millisecond().saturating_sub(*first).max(0).cast_unsigned());
    done.delivered = due.len() as u64;

    let mut inboxes = transaction.inboxes(due.iter().map(|(.., user)| user)).await?;
    for (_, notification, user) in &due {
        let Some(inbox) = inboxes.get_mut(user) else { continue };
        inbox.head.pending += 1;
        transaction.journal.record(inbox, now, ChangeBody::Added(*notification));
    }
    let sql = "DELETE FROM scheduled WHERE (due_at, notification, user_id) <= (?1, ?2, ?3)";
    let query = sqlx::query(sql).bind(last.0).bind(last.1).bind(last.2.as_str().to_owned());
    query.execute(&mut *transaction.connection).await?;
    transaction.flush(inboxes).await
}
