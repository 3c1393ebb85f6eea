use internal_notifications_models::Timestamp;
use sqlx::SqlitePool;

use super::deliver::Deliver;
use super::row;
use super::withdraw::{Withdraw, Withdrawal};
use crate::rules::rounds::{Place, Rounds, share};
use crate::rules::withdrawal::{CANCELLED, Limits};
use crate::sql::failure::Failure;

/// The most inboxes that one transaction changes. Pushes wait until it has ended.
const BATCH: usize = 500;

/// How far the store is with what is due.
#[derive(Debug, Default)]
pub(super) struct Progress {
    withdrawals: Rounds,
    deliveries: Rounds,
}

impl Progress {
    /// Returns the next step with due withdrawals, if there are any, in at most `limit` inboxes.
    pub(super) async fn next_withdrawals(
        &self,
        readers: &SqlitePool,
        now: Timestamp,
        limit: usize,
    ) -> Result<Option<Withdraw>, Failure> {
        let limit = limit.clamp(1, BATCH);
        for after in self.withdrawals.places() {
            let due = due_withdrawals(readers, now, after, limit).await?;
            let last = due.last().filter(|_| due.len() == limit);
            self.withdrawals.continue_after(last.map(|of| (of.due_at, of.notification)));
            if !due.is_empty() {
                let limits =
                    Limits { inboxes: share(limit, due.len()), cancelled: share(CANCELLED, due.len()) };
                return Ok(Some(Withdraw { withdrawals: due, at: now, limits }));
            }
        }
        Ok(None)
    }

    /// Returns the next step with due deliveries, if there are any, to at most `limit` inboxes.
    pub(super) async fn next_deliveries(
        &self,
        readers: &SqlitePool,
        now: Timestamp,
        limit: usize,
    ) -> Result<Option<Deliver>, Failure> {
        let limit = limit.clamp(1, BATCH);
        for after in self.deliveries.places() {
            let due = due_deliveries(readers, now, after, limit).await?;
            let ends_round =
                self.deliveries.continue_after(due.last().filter(|_| due.len() == limit).copied());
            if !due.is_empty() {
                return Ok(Some(Deliver { now, share: share(limit, due.len()), due, ends_round }));
            }
        }
        Ok(None)
    }
}

async fn due_withdrawals(
    readers: &SqlitePool,
    now: Timestamp,
    after: Place,
    limit: usize,
) -> Result<Vec<Withdrawal>, Failure> {
    let sql = "SELECT w.due_at, w.notification, n.id, w.reason, w.reached
               FROM withdrawals w INDEXED BY withdrawals_by_time CROSS JOIN notifications n ON n.key = w.notification
               WHERE w.due_at <= ?1 AND (w.due_at, w.notification) > (?2, ?3)
               ORDER BY w.due_at, w.notification LIMIT ?4";
    let query = sqlx::query_as(sql).bind(now.as_millisecond()).bind(after.0).bind(after.1);
    let rows: Vec<(i64, i64, String, String, i64)> = query.bind(row::limit(limit)).fetch_all(readers).await?;
    let withdrawal = |(due_at, notification, id, reason, reached)| Withdrawal {
        due_at,
        notification,
        id,
        reason,
        reached,
    };
    Ok(rows.into_iter().map(withdrawal).collect())
}

/// Reads the notifications that are due for somebody, without reading their other rows.
async fn due_deliveries(
    readers: &SqlitePool,
    now: Timestamp,
    after: Place,
    limit: usize,
) -> Result<Vec<Place>, Failure> {
    let sql = "WITH RECURSIVE due (due_at, notification) AS (
                   SELECT * FROM (SELECT due_at, notification FROM scheduled INDEXED BY scheduled_by_due_time
                                  WHERE due_at <= ?1 AND (due_at, notification) > (?2, ?3) ORDER BY due_at, notification LIMIT 1)
                   UNION ALL
                   SELECT (SELECT s.due_at FROM scheduled s INDEXED BY scheduled_by_due_time
                           WHERE s.due_at <= ?1 AND (s.due_at, s.notification) > (due.due_at, due.notification)
                           ORDER BY s.due_at, s.notification LIMIT 1),
                          (SELECT s.notification FROM scheduled s INDEXED BY scheduled_by_due_time
                           WHERE s.due_at <= ?1 AND (s.due_at, s.notification) > (due.due_at, due.notification)
                           ORDER BY s.due_at, s.notification LIMIT 1)
                   FROM due WHERE due.due_at IS NOT NULL
                   LIMIT ?4)
               SELECT due_at, notification FROM due WHERE due_at IS NOT NULL";
    let query = sqlx::query_as(sql).bind(now.as_millisecond()).bind(after.0).bind(after.1);
    Ok(query.bind(row::limit(limit)).fetch_all(readers).await?)
}
