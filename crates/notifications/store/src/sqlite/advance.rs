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

/// The next notification that is due at the same time as one of the recursion.
macro_rules! next_of_time {
    () => {
        "(SELECT s.notification FROM scheduled s INDEXED BY scheduled_by_due_time
          WHERE s.due_at = due.due_at AND s.notification > due.notification ORDER BY s.notification LIMIT 1)"
    };
}

/// The next time at which something is due, after one of the recursion.
macro_rules! next_time {
    () => {
        "(SELECT s.due_at FROM scheduled s INDEXED BY scheduled_by_due_time
          WHERE s.due_at > due.due_at AND s.due_at <= ?1 ORDER BY s.due_at LIMIT 1)"
    };
}

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
    let query = sqlx::query_as(DUE_DELIVERIES).bind(now.as_millisecond()).bind(after.0).bind(after.1);
    Ok(query.bind(row::limit(limit)).fetch_all(readers).await?)
}

/// Goes from one notification to the next. The next of the same time and the next time are separate
/// conditions: compared with columns of the recursion, a pair would be compared by its time alone,
/// and each step would pass over every user of that time.
const DUE_DELIVERIES: &str = concat!(
    "WITH RECURSIVE due (due_at, notification) AS (
         SELECT * FROM (SELECT due_at, notification FROM scheduled INDEXED BY scheduled_by_due_time
                        WHERE due_at <= ?1 AND (due_at, notification) > (?2, ?3) ORDER BY due_at, notification LIMIT 1)
         UNION ALL
         SELECT CASE WHEN ",
    next_of_time!(),
    " IS NULL THEN ",
    next_time!(),
    " ELSE due.due_at END, coalesce(",
    next_of_time!(),
    ", (SELECT s.notification FROM scheduled s INDEXED BY scheduled_by_due_time WHERE s.due_at = ",
    next_time!(),
    "    ORDER BY s.notification LIMIT 1))
         FROM due WHERE due.due_at IS NOT NULL
         LIMIT ?4)
     SELECT due_at, notification FROM due WHERE due_at IS NOT NULL"
);

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::Store;
    use crate::sqlite::SqliteOptions;

    #[tokio::test]
    async fn the_next_due_notification_is_found_without_passing_over_users() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("inbox.db").display());
        let store = SqliteStore::open(&url, SqliteOptions::default()).await.unwrap();
        let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {DUE_DELIVERIES}"));
        let query = sqlx::query_as(sql).bind(1).bind(0).bind(0).bind(1);
        let plan: Vec<(i64, i64, i64, String)> = query.fetch_all(&store.readers).await.unwrap();
        let steps: Vec<&str> = plan
            .iter()
            .map(|(.., step)| step.as_str())
            .filter(|step| step.starts_with("SEARCH s "))
            .collect();
        let of_time = steps.iter().filter(|step| step.ends_with("(due_at=? AND notification>?)")).count();
        assert_eq!(of_time, 2, "{steps:?}");
        store.close().await;
    }
}
