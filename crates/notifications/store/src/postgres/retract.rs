use std::sync::Arc;

use internal_notifications_models::{NotificationId, Retraction, Timestamp};
use sqlx::PgConnection;

use super::database::{Database, Mutation, Outcome, Query};
use super::orphans;
use super::transaction::Transaction;
use super::withdraw::{Withdraw, Withdrawal};
use crate::rules::withdrawal::{AT_ONCE, Limits, is_small};
use crate::sql::failure::Failure;
use crate::{StoreError, StoreErrorKind};

/// The most rows of each kind that are counted while nobody else can withdraw the notification.
const COUNTED_AT_ONCE: i64 = 100_000;

/// Retracts a notification: marks it, counts, and removes it from all inboxes unless they are many.
pub(super) async fn retract(
    database: &Arc<Database>,
    id: &NotificationId,
    at: Timestamp,
) -> Result<Retraction, StoreError> {
    let retraction = Retraction::new(id.clone());
    let Some(marked) = database.write(Retract { id: id.clone(), at }).await? else { return Ok(retraction) };
    let (mut counts, mut is_exact) = (marked.counts, marked.is_exact);
    if !is_exact {
        match database.read(Count { notification: marked.notification }).await {
            Ok(exact) => (counts, is_exact) = (exact, true),
            // It is retracted, so an error would be wrong; a repeat would count nothing.
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "cannot count from how many users a notification is retracted");
            }
        }
    }
    let (cancelled, removed) = counts;
    if is_exact && is_small(removed) {
        let mut withdrawal = Withdrawal::of_retracted(id, marked.notification);
        loop {
            let withdrawals = vec![withdrawal.clone()];
            let step = Withdraw { withdrawals, at, limits: Limits::RETRACTION, yields: false };
            let reached = database.write(step).await?.unwrap_or_default().reached;
            let Some(reached) = reached.get(&withdrawal.notification) else { break };
            withdrawal.reached = *reached;
        }
    }
    Ok(retraction.with_cancelled(cancelled).with_removed(removed))
}

/// Marks a notification as retracted, after which nobody receives it any more, and counts what is
/// to be done if it is not too much. Returns `None` if it was withdrawn before.
struct Retract {
    id: NotificationId,
    at: Timestamp,
}

struct Retracted {
    notification: i64,
    /// The numbers of scheduled deliveries and of inboxes that have it.
    counts: (u64, u64),
    /// Whether these are all. Otherwise there may be more.
    is_exact: bool,
}

impl Mutation for Retract {
    type Answer = Option<Retracted>;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Option<Retracted>>, Failure> {
        // Waits until nobody is pushing or delivering it.
        let sql = "SELECT key, withdrawn FROM notifications WHERE id = $1 FOR NO KEY UPDATE";
        let query = sqlx::query_as(sql).bind(self.id.as_str());
        let found: Option<(i64, bool)> = query.fetch_optional(&mut *transaction.connection).await?;
        let Some((notification, is_withdrawn)) = found else {
            return Ok(Outcome::Rollback(Err(StoreError::new(StoreErrorKind::NotFound))));
        };
        if is_withdrawn {
            orphans::note(transaction.connection, &[notification], self.at.as_millisecond()).await?;
            return Ok(Outcome::Commit(None));
        }
        let sql = "UPDATE notifications SET withdrawn = true, withdrawn_at = $2 WHERE key = $1";
        let query = sqlx::query(sql).bind(notification).bind(self.at.as_millisecond());
        query.execute(&mut *transaction.connection).await?;
        let sql = "SELECT (SELECT count(*) FROM (SELECT FROM scheduled WHERE notification = $1 LIMIT $2) s),
                          count(*), count(*) FILTER (WHERE removed_at IS NULL)
                   FROM (SELECT removed_at FROM deliveries WHERE notification = $1 ORDER BY inbox LIMIT $2) d";
        let query = sqlx::query_as(sql).bind(notification).bind(COUNTED_AT_ONCE);
        let (cancelled, deliveries, removed): (i64, i64, i64) =
            query.fetch_one(&mut *transaction.connection).await?;
        let is_exact = cancelled < COUNTED_AT_ONCE && deliveries < COUNTED_AT_ONCE;
        let counts = (cancelled.cast_unsigned(), removed.cast_unsigned());
        let sql = "INSERT INTO withdrawals (notification, due_at, reason) VALUES ($1, $2, 'retracted') ON CONFLICT (notification)
                   DO UPDATE SET due_at = excluded.due_at, reason = excluded.reason";
        sqlx::query(sql).bind(notification).bind(AT_ONCE).execute(&mut *transaction.connection).await?;
        Ok(Outcome::Commit(Some(Retracted { notification, counts, is_exact })))
    }
}

/// Counts the scheduled deliveries of a notification and the inboxes that have it, after it was
/// marked, so that nobody waits for it. What another server has withdrawn since is not counted.
struct Count {
    notification: i64,
}

impl Query for Count {
    type Answer = (u64, u64);

    async fn read(&self, connection: &mut PgConnection) -> Result<(u64, u64), Failure> {
        let sql = "SELECT (SELECT count(*) FROM scheduled WHERE notification = $1),
                          (SELECT count(*) FROM deliveries WHERE notification = $1 AND coalesce(removed_at, -1) = -1)";
        let query = sqlx::query_as(sql).bind(self.notification);
        let (cancelled, removed): (i64, i64) = query.fetch_one(connection).await?;
        Ok((cancelled.cast_unsigned(), removed.cast_unsigned()))
    }
}
