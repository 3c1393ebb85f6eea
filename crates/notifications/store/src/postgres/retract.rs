use std::sync::Arc;

use internal_notifications_models::{NotificationId, Retraction, Timestamp};

use super::database::{Database, Mutation, Outcome};
use super::orphans;
use super::transaction::Transaction;
use super::withdraw::{Withdraw, Withdrawal};
use crate::rules::withdrawal::{Limits, is_small};
use crate::sql::failure::Failure;
use crate::{StoreError, StoreErrorKind};

/// Retracts a notification: marks it, counts, and finishes the withdrawal unless it is large.
pub(super) async fn retract(
    database: &Arc<Database>,
    id: &NotificationId,
    at: Timestamp,
) -> Result<Retraction, StoreError> {
    let Retracted { withdrawal, cancelled, removed } = database.write(Retract { id: id.clone(), at }).await?;
    if let Some(withdrawal) = withdrawal
        && is_small(cancelled, removed)
    {
        database
            .write(Withdraw { withdrawals: vec![withdrawal], at, limits: Limits::ALL, takes_turn: false })
            .await?;
    }
    Ok(Retraction::new(id.clone()).with_cancelled(cancelled).with_removed(removed))
}

/// Marks a notification as retracted, after which nobody receives it any more, and counts what is to
/// be done.
struct Retract {
    id: NotificationId,
    at: Timestamp,
}

#[derive(Default)]
struct Retracted {
    /// `None` if it was withdrawn before.
    withdrawal: Option<Withdrawal>,
    /// The number of scheduled deliveries that are cancelled.
    cancelled: u64,
    /// The number of inboxes that have it.
    removed: u64,
}

impl Mutation for Retract {
    type Answer = Retracted;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Retracted>, Failure> {
        // Waits until nobody is pushing or delivering it.
        let sql = "SELECT key, withdrawn FROM notifications WHERE id = $1 FOR NO KEY UPDATE";
        let query = sqlx::query_as(sql).bind(self.id.as_str());
        let found: Option<(i64, bool)> = query.fetch_optional(&mut *transaction.connection).await?;
        let Some((notification, is_withdrawn)) = found else {
            return Ok(Outcome::Rollback(Err(StoreError::new(StoreErrorKind::NotFound))));
        };
        if is_withdrawn {
            orphans::note(transaction.connection, &[notification], self.at.as_millisecond()).await?;
            return Ok(Outcome::Commit(Retracted::default()));
        }
        let at = self.at.as_millisecond();
        let sql = "UPDATE notifications SET withdrawn = true, withdrawn_at = $2 WHERE key = $1";
        sqlx::query(sql).bind(notification).bind(at).execute(&mut *transaction.connection).await?;
        let sql = "SELECT (SELECT count(*) FROM scheduled WHERE notification = $1),
                          (SELECT count(*) FROM deliveries WHERE notification = $1 AND coalesce(removed_at, -1) = -1)";
        let query = sqlx::query_as(sql).bind(notification);
        let (cancelled, removed): (i64, i64) = query.fetch_one(&mut *transaction.connection).await?;
        let sql = "INSERT INTO withdrawals (notification, due_at, reason) VALUES ($1, $2, 'retracted') ON CONFLICT (notification)
                   DO UPDATE SET due_at = excluded.due_at, reason = excluded.reason";
        sqlx::query(sql).bind(notification).bind(at).execute(&mut *transaction.connection).await?;
        let withdrawal = Withdrawal::of_retracted(&self.id, notification, at);
        Ok(Outcome::Commit(Retracted {
            withdrawal: Some(withdrawal),
            cancelled: cancelled.cast_unsigned(),
            removed: removed.cast_unsigned(),
        }))
    }
}
