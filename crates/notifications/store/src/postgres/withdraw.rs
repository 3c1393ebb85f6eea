use std::collections::HashMap;
use std::sync::Arc;

use internal_notifications_models::{NotificationId, RemovedReason, Retraction, Timestamp};
use sqlx::PgConnection;

use super::row;
use super::transaction::Transaction;
use super::work::{Database, Ended, Reading, Writing};
use crate::sql::failure::Failure;
use crate::{StoreError, StoreErrorKind};

/// The inboxes that a notification leaves in one transaction.
pub(super) const BATCH: usize = 1_000;

/// Takes a notification back, to the end.
pub(super) async fn retract(
    database: &Arc<Database>,
    id: &NotificationId,
    at: Timestamp,
) -> Result<Retraction, StoreError> {
    let begun = database.write(Retract { id: id.clone(), at }).await?;
    while !database.write(Leave { notification: begun.notification, at, limit: BATCH }).await?.all {}
    Ok(Retraction::new(id.clone()).with_cancelled(begun.cancelled).with_removed(begun.removed))
}

/// The first step of a retraction: from here on nobody gets it any more.
struct Retract {
    id: NotificationId,
    at: Timestamp,
}

struct Retracted {
    notification: i64,
    cancelled: u64,
    /// The inboxes that had it, and will not.
    removed: u64,
}

impl Writing for Retract {
    type Answer = Retracted;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Ended<Retracted>, Failure> {
        // Those that another server has at hand are waited for, while nothing else is locked: they are given first, or not at all.
        let sql = "DELETE FROM scheduled WHERE (notification, user_id) IN
                       (SELECT notification, user_id FROM scheduled WHERE notification = (SELECT key FROM notifications WHERE id = $1)
                        ORDER BY user_id FOR UPDATE)";
        let query = sqlx::query(sql).bind(self.id.as_str());
        let waiting = query.execute(&mut *transaction.connection).await?.rows_affected();
        let sql = "UPDATE notifications SET withdrawn = true WHERE id = $1 RETURNING key";
        let query = sqlx::query_scalar(sql).bind(self.id.as_str());
        let key: Option<i64> = query.fetch_optional(&mut *transaction.connection).await?;
        let Some(notification) = key else {
            return Ok(Ended::Rollback(Err(StoreError::new(StoreErrorKind::NotFound))));
        };
        let cancelled = waiting + cancel(transaction.connection, notification).await?;
        let sql = "SELECT count(*) FROM deliveries WHERE notification = $1 AND removed_at IS NULL";
        let query = sqlx::query_scalar(sql).bind(notification);
        let removed: i64 = query.fetch_one(&mut *transaction.connection).await?;
        let sql = "INSERT INTO withdrawals (notification, due_at, reason) VALUES ($1, $2, 'retracted') ON CONFLICT (notification)
                   DO UPDATE SET due_at = excluded.due_at, reason = excluded.reason";
        let query = sqlx::query(sql).bind(notification).bind(self.at.as_millisecond());
        query.execute(&mut *transaction.connection).await?;
        Ok(Ended::Commit(Retracted { notification, cancelled, removed: removed.cast_unsigned() }))
    }
}

/// Drops the scheduled rows of a notification that nobody is to get any more, and that is locked. Those that another server has at hand
/// it passes over: that one will see that the notification is withdrawn.
async fn cancel(connection: &mut PgConnection, notification: i64) -> Result<u64, Failure> {
    // By both columns: by the user alone, each row would be compared with each.
    let sql = "DELETE FROM scheduled WHERE (notification, user_id) IN
                   (SELECT notification, user_id FROM scheduled WHERE notification = $1 FOR UPDATE SKIP LOCKED)";
    Ok(sqlx::query(sql).bind(notification).execute(connection).await?.rows_affected())
}

/// The withdrawal that fell due first, of those that are due.
pub(super) struct NextDue(pub(super) Timestamp);

impl Reading for NextDue {
    type Answer = Option<i64>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Option<i64>, Failure> {
        let sql =
            "SELECT notification FROM withdrawals WHERE due_at <= $1 ORDER BY due_at, notification LIMIT 1";
        Ok(sqlx::query_scalar(sql).bind(self.0.as_millisecond()).fetch_optional(connection).await?)
    }
}

/// Makes an expired notification one that nobody gets any more.
pub(super) struct Expire(pub(super) i64);

impl Writing for Expire {
    /// Who was to get it later, and will not.
    type Answer = u64;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Ended<u64>, Failure> {
        let sql = "UPDATE notifications SET withdrawn = true WHERE key = $1 AND NOT withdrawn";
        let query = sqlx::query(sql).bind(self.0).execute(&mut *transaction.connection);
        if query.await?.rows_affected() == 0 {
            return Ok(Ended::Rollback(Ok(0)));
        }
        Ok(Ended::Commit(cancel(transaction.connection, self.0).await?))
    }
}

/// Takes a withdrawn notification out of the next inboxes.
pub(super) struct Leave {
    pub(super) notification: i64,
    pub(super) at: Timestamp,
    pub(super) limit: usize,
}

/// A notification has left some inboxes.
#[derive(Default)]
pub(super) struct Left {
    pub(super) inboxes: u64,
    /// Who was to get it later, and will not.
    pub(super) cancelled: u64,
    /// Whether it has left all.
    pub(super) all: bool,
}

impl Writing for Leave {
    type Answer = Left;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Ended<Left>, Failure> {
        let sql = "SELECT id, reason, reached FROM withdrawals JOIN notifications ON key = notification WHERE notification = $1";
        let query = sqlx::query_as(sql).bind(self.notification);
        let found: Option<(String, String, i64)> = query.fetch_optional(&mut *transaction.connection).await?;
        let Some((id, reason, reached)) = found else {
            return Ok(Ended::Rollback(Ok(Left { all: true, ..Left::default() })));
        };
        let id = NotificationId::new(id)?;
        let reason: RemovedReason = serde_json::from_value(reason.into())?;
        let sql = "SELECT inbox FROM deliveries WHERE notification = $1 AND inbox > $2 AND removed_at IS NULL ORDER BY inbox LIMIT $3";
        let query =
            sqlx::query_scalar(sql).bind(self.notification).bind(reached).bind(row::limit(self.limit));
        let next: Vec<i64> = query.fetch_all(&mut *transaction.connection).await?;
        let all = next.len() < self.limit;
        let mut inboxes = transaction.lock_keys(&next).await?;
        // Another server may have been quicker with some, or their users.
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
        if all {
            cancelled = cancel(transaction.connection, self.notification).await?;
            let sql = "DELETE FROM withdrawals WHERE notification = $1";
            sqlx::query(sql).bind(self.notification).execute(&mut *transaction.connection).await?;
        } else {
            let sql = "UPDATE withdrawals SET reached = greatest(reached, $2) WHERE notification = $1";
            let query =
                sqlx::query(sql).bind(self.notification).bind(next.last().copied().unwrap_or(reached));
            query.execute(&mut *transaction.connection).await?;
        }
        Ok(Ended::Commit(Left { inboxes: removed.len() as u64, cancelled, all }))
    }
}
