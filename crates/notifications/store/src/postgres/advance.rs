use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::{Timestamp, UserId};

use super::database::{Database, Mutation, Outcome};
use super::transaction::Transaction;
use super::withdraw::{BATCH, Expire, NextDue, Withdraw, Withdrawn};
use crate::sql::failure::Failure;
use crate::sql::journal::ChangeBody;
use crate::sql::row;
use crate::{Advanced, StoreError};

/// Withdraws and delivers due notifications.
///
/// Starts every due withdrawal before it delivers, since a due withdrawal may cancel a scheduled
/// delivery.
pub(super) async fn run(
    database: &Arc<Database>,
    now: Timestamp,
    limit: usize,
) -> Result<Advanced, StoreError> {
    let mut done = Advanced::default();
    let mut left = limit.max(1);
    while left > 0 {
        let Some(notification) = database.read(NextDue(now)).await? else { break };
        done.expired += database.write(Expire(notification)).await?;
        let limit = left.min(BATCH);
        let Withdrawn { inboxes, cancelled, .. } =
            database.write(Withdraw { notification, at: now, limit }).await?;
        done.withdrawn += inboxes;
        done.expired += cancelled;
        // A withdrawal from no inbox does not count: the caller would take the call for idle.
        left = left.saturating_sub(usize::try_from(inboxes).unwrap_or(usize::MAX));
    }
    while left > 0 {
        let given = database.write(Deliver { now, limit: left.min(BATCH) }).await?;
        done.delivered += given.delivered;
        done.expired += (given.rows as u64).saturating_sub(given.delivered);
        done.lateness = done.lateness.max(given.lateness);
        if given.rows < left.min(BATCH) {
            break;
        }
        left = left.saturating_sub(usize::try_from(given.delivered).unwrap_or(usize::MAX));
    }
    Ok(done)
}

/// Delivers scheduled notifications that are due, the longest overdue first.
struct Deliver {
    now: Timestamp,
    limit: usize,
}

#[derive(Default)]
struct Delivered {
    rows: usize,
    delivered: u64,
    lateness: Duration,
}

impl Mutation for Deliver {
    type Answer = Delivered;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Delivered>, Failure> {
        let now = self.now.as_millisecond();
        // Another server is delivering those that are locked.
        let sql = "WITH due AS (SELECT notification, user_id FROM scheduled WHERE due_at <= $1
                                ORDER BY due_at, notification, user_id LIMIT $2 FOR UPDATE SKIP LOCKED)
                   DELETE FROM scheduled s USING due WHERE s.notification = due.notification AND s.user_id = due.user_id
                   RETURNING s.due_at, s.notification, s.user_id";
        let query = sqlx::query_as(sql).bind(now).bind(row::limit(self.limit));
        let mut due: Vec<(i64, i64, String)> = query.fetch_all(&mut *transaction.connection).await?;
        due.sort_unstable();
        let Some((first, ..)) = due.first() else { return Ok(Outcome::Rollback(Ok(Delivered::default()))) };
        let lateness = Duration::from_millis(now.saturating_sub(*first).max(0).cast_unsigned());

        let users: BTreeSet<&str> = due.iter().map(|(.., user)| user.as_str()).collect();
        let mut inboxes = transaction.get_or_create_inboxes(&users.into_iter().collect::<Vec<_>>()).await?;
        let over = withdrawn(transaction, due.iter().map(|(_, notification, _)| *notification), now).await?;
        let mut delivered = 0;
        for (_, notification, user) in &due {
            if over.contains(notification) {
                continue;
            }
            let Some(inbox) = inboxes.get_mut(&UserId::new(user.as_str())?) else { continue };
            inbox.head.pending += 1;
            transaction.journal.record(inbox, self.now, ChangeBody::Added(*notification));
            delivered += 1;
        }
        transaction.flush(inboxes).await?;
        Ok(Outcome::Commit(Delivered { rows: due.len(), delivered, lateness }))
    }
}

/// Returns those of the notifications that are no longer delivered, and locks them all in their
/// state.
async fn withdrawn(
    transaction: &mut Transaction<'_>,
    notifications: impl Iterator<Item = i64>,
    now: i64,
) -> Result<HashSet<i64>, Failure> {
    let keys: BTreeSet<i64> = notifications.collect();
    let keys: Vec<i64> = keys.into_iter().collect();
    let sql = "SELECT key FROM notifications WHERE key = ANY($1) ORDER BY key FOR SHARE";
    sqlx::query(sql).bind(&keys).execute(&mut *transaction.connection).await?;
    let sql = "SELECT key FROM notifications n WHERE key = ANY($1)
               AND (withdrawn OR EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key AND w.due_at <= $2))";
    let over: Vec<i64> =
        sqlx::query_scalar(sql).bind(&keys).bind(now).fetch_all(&mut *transaction.connection).await?;
    Ok(over.into_iter().collect())
}
