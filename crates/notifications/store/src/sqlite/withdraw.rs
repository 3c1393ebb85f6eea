use std::collections::BTreeMap;

use internal_notifications_models::{NotificationId, RemovedReason, Timestamp, UserId};
use sqlx::{Row, SqliteConnection};

use super::orphans;
use super::row;
use super::transaction::Transaction;
use crate::sql::failure::Failure;
use crate::sql::journal::Inbox;
use crate::{StoreError, StoreErrorKind};

/// The most inboxes from which one transaction removes a notification.
pub(super) const BATCH: usize = 1_000;

/// A retraction that has started.
pub(super) struct Retracted {
    /// The key of the notification.
    pub(super) notification: i64,
    /// The number of scheduled deliveries that were cancelled.
    pub(super) cancelled: u64,
    /// The number of inboxes that had the notification.
    pub(super) removed: u64,
    /// Whether it was removed from all of them.
    pub(super) is_complete: bool,
}

/// One step of a withdrawal.
#[derive(Default)]
pub(super) struct Withdrawn {
    /// The number of inboxes from which the notification was removed.
    pub(super) inboxes: u64,
    /// The number of scheduled deliveries that were cancelled.
    pub(super) cancelled: u64,
    /// Whether no inbox has the notification any more.
    pub(super) is_complete: bool,
}

/// Starts a retraction with its first batch. The inner error is a rejection.
pub(super) async fn retract(
    transaction: &mut Transaction<'_>,
    id: &NotificationId,
    at: Timestamp,
) -> Result<Result<Retracted, StoreError>, Failure> {
    let sql = "SELECT key, (SELECT count(*) FROM deliveries d INDEXED BY deliveries_by_notification
                            WHERE d.notification = n.key AND d.removed_at IS NULL)
               FROM notifications n WHERE id = ?1";
    let query = sqlx::query_as(sql).bind(id.as_str().to_owned());
    let found: Option<(i64, i64)> = query.fetch_optional(&mut *transaction.connection).await?;
    let Some((notification, removed)) = found else {
        return Ok(Err(StoreError::new(StoreErrorKind::NotFound)));
    };
    let cancelled = cancel(transaction.connection, notification).await?;
    let sql = "INSERT INTO withdrawals (notification, due_at, reason) VALUES (?1, ?2, 'retracted') ON CONFLICT (notification)
               DO UPDATE SET due_at = excluded.due_at, reason = excluded.reason, reached = excluded.reached";
    let query = sqlx::query(sql).bind(notification).bind(at.as_millisecond());
    query.execute(&mut *transaction.connection).await?;
    let is_complete = withdraw(transaction, notification, at, BATCH).await?.is_complete;
    Ok(Ok(Retracted { notification, cancelled, removed: removed.cast_unsigned(), is_complete }))
}

/// Removes a notification with a planned withdrawal from the next inboxes, at most `limit`.
pub(super) async fn withdraw(
    transaction: &mut Transaction<'_>,
    notification: i64,
    at: Timestamp,
    limit: usize,
) -> Result<Withdrawn, Failure> {
    let sql = "SELECT id, reason, reached FROM withdrawals CROSS JOIN notifications ON key = notification WHERE notification = ?1";
    let query = sqlx::query_as(sql).bind(notification);
    let found: Option<(String, String, i64)> = query.fetch_optional(&mut *transaction.connection).await?;
    let Some((id, reason, reached)) = found else {
        return Ok(Withdrawn { is_complete: true, ..Withdrawn::default() });
    };
    let id = NotificationId::new(id)?;
    let reason: RemovedReason = serde_json::from_value(reason.into())?;
    let cancelled = cancel(transaction.connection, notification).await?;

    let sql = "SELECT user_id, i.key, seq, tag, pending, opened_at IS NULL AS was_pending
               FROM deliveries INDEXED BY deliveries_by_notification CROSS JOIN inboxes i ON i.key = inbox
               WHERE notification = ?1 AND inbox > ?2 AND removed_at IS NULL ORDER BY inbox LIMIT ?3";
    let query = sqlx::query(sql).bind(notification).bind(reached).bind(row::limit(limit));
    let rows = query.fetch_all(&mut *transaction.connection).await?;
    let mut inboxes: BTreeMap<UserId, Inbox> = BTreeMap::new();
    let mut last = reached;
    for row in &rows {
        let (user, mut inbox) = row::inbox(row)?;
        last = inbox.key;
        let pending = u64::from(row.try_get::<bool, _>("was_pending")?);
        transaction.journal.removed(&mut inbox, at, (vec![id.clone()], reason), pending)?;
        inboxes.insert(user, inbox);
    }
    let sql = "UPDATE deliveries INDEXED BY deliveries_by_notification SET removed_at = ?4
               WHERE notification = ?1 AND inbox > ?2 AND inbox <= ?3 AND removed_at IS NULL";
    let query = sqlx::query(sql).bind(notification).bind(reached).bind(last).bind(at.as_millisecond());
    query.execute(&mut *transaction.connection).await?;
    transaction.flush(inboxes).await?;

    let is_complete = rows.len() < limit;
    let sql = match is_complete {
        true => "DELETE FROM withdrawals WHERE notification = ?1",
        false => "UPDATE withdrawals SET reached = ?2 WHERE notification = ?1",
    };
    sqlx::query(sql).bind(notification).bind(last).execute(&mut *transaction.connection).await?;
    if is_complete {
        orphans::note(transaction.connection, [notification], at.as_millisecond()).await?;
    }
    Ok(Withdrawn { inboxes: rows.len() as u64, cancelled, is_complete })
}

/// Marks a notification withdrawn, and returns how many scheduled deliveries were cancelled.
async fn cancel(connection: &mut SqliteConnection, notification: i64) -> Result<u64, Failure> {
    let sql = "UPDATE notifications SET withdrawn = 1 WHERE key = ?1 AND NOT withdrawn";
    sqlx::query(sql).bind(notification).execute(&mut *connection).await?;
    let sql = "DELETE FROM scheduled WHERE notification = ?1";
    Ok(sqlx::query(sql).bind(notification).execute(connection).await?.rows_affected())
}
