use internal_notifications_models::{NotificationId, Timestamp};
use sqlx::SqlitePool;

use super::orphans;
use super::transaction::Transaction;
use super::withdraw::Withdrawal;
use crate::rules::withdrawal::AT_ONCE;
use crate::sql::failure::Failure;
use crate::{StoreError, StoreErrorKind};

/// Marks a notification as retracted, after which nobody receives it any more.
///
/// Returns its withdrawal, or `None` if it was withdrawn before. The inner error is a rejection.
pub(super) async fn mark(
    transaction: &mut Transaction<'_>,
    id: &NotificationId,
    at: Timestamp,
) -> Result<Result<Option<Withdrawal>, StoreError>, Failure> {
    let sql = "SELECT key, withdrawn FROM notifications WHERE id = ?1";
    let query = sqlx::query_as(sql).bind(id.as_str().to_owned());
    let found: Option<(i64, bool)> = query.fetch_optional(&mut *transaction.connection).await?;
    let notification = match found {
        None => return Ok(Err(StoreError::new(StoreErrorKind::NotFound))),
        Some((notification, true)) => {
            orphans::note(transaction.connection, &[notification], at.as_millisecond()).await?;
            return Ok(Ok(None));
        }
        Some((notification, false)) => notification,
    };
    let sql = "UPDATE notifications SET withdrawn = 1, withdrawn_at = ?2 WHERE key = ?1";
    let query = sqlx::query(sql).bind(notification).bind(at.as_millisecond());
    query.execute(&mut *transaction.connection).await?;
    let reason = "retracted".to_owned();
    let sql = "INSERT INTO withdrawals (notification, due_at, reason) VALUES (?1, ?2, ?3) ON CONFLICT (notification)
               DO UPDATE SET due_at = excluded.due_at, reason = excluded.reason, reached = excluded.reached";
    let query = sqlx::query(sql).bind(notification).bind(AT_ONCE).bind(reason.clone());
    query.execute(&mut *transaction.connection).await?;
    Ok(Ok(Some(Withdrawal { due_at: AT_ONCE, notification, id: id.to_string(), reason, reached: 0 })))
}

/// Returns the numbers of scheduled deliveries of a notification and of inboxes that have it.
pub(super) async fn count(readers: &SqlitePool, notification: i64) -> Result<(u64, u64), Failure> {
    let sql = "SELECT (SELECT count(*) FROM scheduled WHERE notification = ?1),
                      (SELECT count(*) FROM deliveries INDEXED BY deliveries_by_notification
                       WHERE notification = ?1 AND removed_at IS NULL)";
    let (cancelled, removed): (i64, i64) = sqlx::query_as(sql).bind(notification).fetch_one(readers).await?;
    Ok((cancelled.cast_unsigned(), removed.cast_unsigned()))
}
