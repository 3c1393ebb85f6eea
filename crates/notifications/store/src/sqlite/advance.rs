use internal_notifications_models::Timestamp;
use sqlx::SqlitePool;

use super::command::Command;
use super::deliver::Deliver;
use super::withdraw::{Withdraw, Withdrawal};
use super::{SqliteStore, row};
use crate::Advanced;
use crate::rules::rounds::{Place, share};
use crate::rules::withdrawal::{CANCELLED, Limits};
use crate::sql::due_work::{DueWork, both};
use crate::sql::failure::Failure;

/// The most inboxes that one transaction changes. Pushes wait until it has ended.
const BATCH: usize = 500;

/// How far the store is with what is due.
#[derive(Debug, Default)]
pub(super) struct Progress {
    withdrawals: DueWork,
    deliveries: DueWork,
}

/// Takes a step with due withdrawals and one with due deliveries.
///
/// Neither waits for the other to be finished, or fails with it.
pub(super) async fn run(
    store: &SqliteStore,
    progress: &Progress,
    now: Timestamp,
    limit: usize,
) -> Result<Advanced, Failure> {
    let limit = limit.clamp(1, BATCH);
    let withdrawn = withdraw(store, &progress.withdrawals, now, limit).await;
    let delivered = deliver(store, &progress.deliveries, now, limit).await;
    both(withdrawn, delivered)
}

async fn withdraw(
    store: &SqliteStore,
    work: &DueWork,
    now: Timestamp,
    limit: usize,
) -> Result<Advanced, Failure> {
    let read = |after| due_withdrawals(&store.readers, now, after, limit);
    let place = |of: &Withdrawal| (of.due_at, of.notification);
    let (due, round_continues) = work.rounds.next(limit, place, read).await?;
    let limits = Limits { inboxes: share(limit, due.len()), cancelled: share(CANCELLED, due.len()) };
    let withdraw = |withdrawals| async move {
        let withdraw = Withdraw { withdrawals, at: now, limits };
        Ok(store.try_command(|reply| Command::Withdraw(withdraw, reply)).await??.done)
    };
    let key = |withdrawal: &Withdrawal| withdrawal.notification;
    let mut done = work.step(due, key, withdraw, || store.works()).await?;
    done.has_more |= round_continues;
    Ok(done)
}

async fn deliver(
    store: &SqliteStore,
    work: &DueWork,
    now: Timestamp,
    limit: usize,
) -> Result<Advanced, Failure> {
    let read = |after| due_deliveries(&store.readers, now, after, limit);
    let (due, round_continues) = work.rounds.next(limit, |place| *place, read).await?;
    let share = share(limit, due.len());
    let deliver = |due| async move {
        let deliver = Deliver { now, due, share };
        Ok(store.try_command(|reply| Command::Deliver(deliver, reply)).await??)
    };
    let key = |(_, notification): &Place| *notification;
    let mut done = work.step(due, key, deliver, || store.works()).await?;
    done.has_more |= round_continues;
    Ok(done)
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
