use std::collections::HashMap;
use std::sync::Arc;

use internal_notifications_models::{NotificationId, RemovedReason, Retraction, Timestamp};
use sqlx::PgConnection;

use super::database::{Database, Mutation, Outcome, Query};
use super::orphans;
use super::transaction::Transaction;
use crate::sql::failure::Failure;
use crate::sql::row;
use crate::{StoreError, StoreErrorKind};

/// The most inboxes from which one transaction removes a notification.
pub(super) const BATCH: usize = 1_000;

/// Retracts a notification from all inboxes.
pub(super) async fn retract(
    database: &Arc<Database>,
    id: &NotificationId,
    at: Timestamp,
) -> Result<Retraction, StoreError> {
    let retracted = database.write(Retract { id: id.clone(), at }).await?;
    while !database
        .write(Withdraw { notification: retracted.notification, at, limit: BATCH })
        .await?
        .is_complete
    {}
    Ok(Retraction::new(id.clone()).with_cancelled(retracted.cancelled).with_removed(retracted.removed))
}

/// The first step of a retraction, after which the notification is no longer delivered.
struct Retract {
    id: NotificationId,
    at: Timestamp,
}

struct Retracted {
    notification: i64,
    cancelled: u64,
    /// The number of inboxes that had it.
    removed: u64,
}

impl Mutation for Retract {
    type Answer = Retracted;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Retracted>, Failure> {
        // Waits for rows that another server is delivering, while nothing else is locked.
        let sql = "DELETE FROM scheduled WHERE (notification, user_id) IN
                       (SELECT notification, user_id FROM scheduled WHERE notification = (SELECT key FROM notifications WHERE id = $1)
                        ORDER BY user_id FOR UPDATE)";
        let query = sqlx::query(sql).bind(self.id.as_str());
        let scheduled = query.execute(&mut *transaction.connection).await?.rows_affected();
        let sql = "UPDATE notifications SET withdrawn = true WHERE id = $1 RETURNING key";
        let query = sqlx::query_scalar(sql).bind(self.id.as_str());
        let key: Option<i64> = query.fetch_optional(&mut *transaction.connection).await?;
        let Some(notification) = key else {
            return Ok(Outcome::Rollback(Err(StoreError::new(StoreErrorKind::NotFound))));
        };
        let cancelled = scheduled + cancel(transaction.connection, notification).await?;
        let sql = "SELECT count(*) FROM deliveries WHERE notification = $1 AND removed_at IS NULL";
        let query = sqlx::query_scalar(sql).bind(notification);
        let removed: i64 = query.fetch_one(&mut *transaction.connection).await?;
        let sql = "INSERT INTO withdrawals (notification, due_at, reason) VALUES ($1, $2, 'retracted') ON CONFLICT (notification)
                   DO UPDATE SET due_at = excluded.due_at, reason = excluded.reason";
        let query = sqlx::query(sql).bind(notification).bind(self.at.as_millisecond());
        query.execute(&mut *transaction.connection).await?;
        Ok(Outcome::Commit(Retracted { notification, cancelled, removed: removed.cast_unsigned() }))
    }
}

/// Deletes the scheduled rows of a withdrawn and locked notification, and returns their number.
///
/// It skips rows that another server is delivering, which will see that the notification is
/// withdrawn.
async fn cancel(connection: &mut PgConnection, notification: i64) -> Result<u64, Failure> {
    // Comparing only the user would compare each row with every other.
    let sql = "DELETE FROM scheduled WHERE (notification, user_id) IN
                   (SELECT notification, user_id FROM scheduled WHERE notification = $1 FOR UPDATE SKIP LOCKED)";
    Ok(sqlx::query(sql).bind(notification).execute(connection).await?.rows_affected())
}

/// Returns the notification whose withdrawal has been due for longest, if any is due.
pub(super) struct NextDue(pub(super) Timestamp);

impl Query for NextDue {
    type Answer = Option<i64>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Option<i64>, Failure> {
        let sql =
            "SELECT notification FROM withdrawals WHERE due_at <= $1 ORDER BY due_at, notification LIMIT 1";
        Ok(sqlx::query_scalar(sql).bind(self.0.as_millisecond()).fetch_optional(connection).await?)
    }
}

/// Marks an expired notification withdrawn.
pub(super) struct Expire(pub(super) i64);

impl Mutation for Expire {
    /// The number of scheduled deliveries that were cancelled.
    type Answer = u64;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<u64>, Failure> {
        let sql = "UPDATE notifications SET withdrawn = true WHERE key = $1 AND NOT withdrawn";
        let query = sqlx::query(sql).bind(self.0).execute(&mut *transaction.connection);
        if query.await?.rows_affected() == 0 {
            return Ok(Outcome::Rollback(Ok(0)));
        }
        Ok(Outcome::Commit(cancel(transaction.connection, self.0).await?))
    }
}

/// Removes a withdrawn notification from the next inboxes.
pub(super) struct Withdraw {
    pub(super) notification: i64,
    pub(super) at: Timestamp,
    pub(super) limit: usize,
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

impl Mutation for Withdraw {
    type Answer = Withdrawn;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Withdrawn>, Failure> {
        let sql = "SELECT id, reason, reached FROM withdrawals JOIN notifications ON key = notification WHERE notification = $1";
        let query = sqlx::query_as(sql).bind(self.notification);
        let found: Option<(String, String, i64)> = query.fetch_optional(&mut *transaction.connection).await?;
        let Some((id, reason, reached)) = found else {
            return Ok(Outcome::Rollback(Ok(Withdrawn { is_complete: true, ..Withdrawn::default() })));
        };
        let id = NotificationId::new(id)?;
        let reason: RemovedReason = serde_json::from_value(reason.into())?;
        let sql = "SELECT inbox FROM deliveries WHERE notification = $1 AND inbox > $2 AND removed_at IS NULL ORDER BY inbox LIMIT $3";
        let query =
            sqlx::query_scalar(sql).bind(self.notification).bind(reached).bind(row::limit(self.limit));
        let next: Vec<i64> = query.fetch_all(&mut *transaction.connection).await?;
        let is_complete = next.len() < self.limit;
        let mut inboxes = transaction.lock_keys(&next).await?;
        // Another server, or the user, may have removed it from some already.
        let sql = "UPDATE deliveries SET removed_at = $3 WHERE notification = $1 AND inbox = ANY($2) AND removed_at IS NULL
                   RETURNING inbox, opened_at IS NULL";
        let query = sqlx::query_as(sql).bind(self.notification).bind(&next).bind(self.at.as_millisecond());
        let removed: Vec<(i64, bool)> = query.fetch_all(&mut *transaction.connection).await?;
        let removed: HashMap<i64, bool> = removed.into_iter().collect();
        for inbox in inboxes.values_mut() {
            let Some(pending) = removed.get(&inbox.key) else { continue };
            transaction.journal.removed(inbox, self.at, (vec![id.clone()], reason), u64::from(*pending))?;
        }
        transaction.flush(inboxes).await?;
        let mut cancelled = 0;
        if is_complete {
            cancelled = cancel(transaction.connection, self.notification).await?;
            let sql = "DELETE FROM withdrawals WHERE notification = $1";
            sqlx::query(sql).bind(self.notification).execute(&mut *transaction.connection).await?;
            orphans::note(transaction.connection, self.notification, self.at).await?;
        } else {
            let sql = "UPDATE withdrawals SET reached = greatest(reached, $2) WHERE notification = $1";
            let query =
                sqlx::query(sql).bind(self.notification).bind(next.last().copied().unwrap_or(reached));
            query.execute(&mut *transaction.connection).await?;
        }
        Ok(Outcome::Commit(Withdrawn { inboxes: removed.len() as u64, cancelled, is_complete }))
    }
}
