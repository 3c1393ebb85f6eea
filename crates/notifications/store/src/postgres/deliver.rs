use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::{Timestamp, UserId};
use sqlx::PgConnection;

use super::advance_turn::{step_in_turn, take_turn};
use super::database::{Database, Mutation, Outcome, Query};
use super::transaction::Transaction;
use crate::rules::rounds::{Place, share};
use crate::sql::due_work::DueWork;
use crate::sql::failure::Failure;
use crate::sql::journal::ChangeBody;
use crate::sql::row;
use crate::{Advanced, StoreError};

/// Delivers the next due notifications to at most `limit` inboxes.
pub(super) async fn step(
    database: &Arc<Database>,
    work: &DueWork,
    now: Timestamp,
    limit: usize,
) -> Result<Advanced, StoreError> {
    let read = |after| database.read(Due { now, after, limit });
    let round = work.rounds.next(limit, |place| *place, read).await?;
    let share = share(limit, round.0.len());
    let deliver = |due| async move { Ok(database.try_write(Deliver { now, due, share }).await??) };
    step_in_turn(database, work, round, |(_, notification)| *notification, deliver).await
}

/// Reads the next notifications that are due for somebody, without reading their other rows.
struct Due {
    now: Timestamp,
    after: Place,
    limit: usize,
}

impl Query for Due {
    type Answer = Vec<Place>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Vec<Place>, Failure> {
        let sql = "WITH RECURSIVE due AS (
                       (SELECT due_at, notification FROM scheduled WHERE due_at <= $1 AND (due_at, notification) > ($2, $3)
                        ORDER BY due_at, notification LIMIT 1)
                       UNION ALL
                       SELECT next.due_at, next.notification FROM due CROSS JOIN LATERAL
                           (SELECT s.due_at, s.notification FROM scheduled s
                            WHERE s.due_at <= $1 AND (s.due_at, s.notification) > (due.due_at, due.notification)
                            ORDER BY s.due_at, s.notification LIMIT 1) next)
                   SELECT due_at, notification FROM due LIMIT $4";
        let query = sqlx::query_as(sql).bind(self.now.as_millisecond()).bind(self.after.0).bind(self.after.1);
        Ok(query.bind(row::limit(self.limit)).fetch_all(connection).await?)
    }
}

/// Delivers due notifications, each to at most `share` users. Returns `None` while another server
/// delivers.
///
/// What is for an inbox that another transaction has locked stays due, so that nobody else waits.
struct Deliver {
    now: Timestamp,
    due: Vec<Place>,
    share: usize,
}

impl Mutation for Deliver {
    type Answer = Option<Advanced>;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Option<Advanced>>, Failure> {
        let now = self.now.as_millisecond();
        if !take_turn(transaction.connection, "delivery").await? {
            return Ok(Outcome::Rollback(Ok(None)));
        }
        let over = lock_and_find_over(transaction, &self.due, now).await?;
        let due: Vec<Place> =
            self.due.iter().copied().filter(|(_, notification)| !over.contains(notification)).collect();
        let mut rows = self.rows(transaction, &due).await?;
        let users: BTreeSet<&str> = rows.iter().map(|(.., user)| user.as_str()).collect();
        let users: Vec<&str> = users.into_iter().collect();
        let (mut inboxes, _) = transaction.create_and_lock(&users, false).await?;
        let free: HashSet<&str> = inboxes.keys().map(UserId::as_str).collect();
        rows.retain(|(.., user)| free.contains(user.as_str()));
        let Some((first, ..)) = rows.first() else {
            return Ok(Outcome::Rollback(Ok(Some(Advanced::default()))));
        };
        let lateness = Duration::from_millis(now.saturating_sub(*first).max(0).cast_unsigned());
        delete(transaction, &rows).await?;
        for (_, notification, user) in &rows {
            let Some(inbox) = inboxes.get_mut(&UserId::new(user.as_str())?) else { continue };
            inbox.head.pending += 1;
            transaction.journal.record(inbox, self.now, ChangeBody::Added(*notification));
        }
        transaction.flush(inboxes).await?;
        let mut done = Advanced { delivered: rows.len() as u64, lateness, ..Advanced::default() };
        done.has_more = true;
        Ok(Outcome::Commit(Some(done)))
    }
}

impl Deliver {
    /// Returns the next rows of each notification: its due time, its key and a user.
    async fn rows(
        &self,
        transaction: &mut Transaction<'_>,
        due: &[Place],
    ) -> Result<Vec<(i64, i64, String)>, Failure> {
        let sql = "SELECT g.due_at, g.notification, s.user_id
                   FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY g (due_at, notification, place)
                   CROSS JOIN LATERAL (SELECT user_id FROM scheduled WHERE due_at = g.due_at AND notification = g.notification
                                       ORDER BY user_id LIMIT $3) s
                   ORDER BY g.place, s.user_id";
        let (times, keys): (Vec<i64>, Vec<i64>) = due.iter().copied().unzip();
        let query = sqlx::query_as(sql).bind(times).bind(keys).bind(row::limit(self.share));
        Ok(query.fetch_all(&mut *transaction.connection).await?)
    }
}

/// Locks notifications against a retraction, and returns those that are no longer delivered.
async fn lock_and_find_over(
    transaction: &mut Transaction<'_>,
    due: &[Place],
    now: i64,
) -> Result<HashSet<i64>, Failure> {
    let keys: BTreeSet<i64> = due.iter().map(|(_, notification)| *notification).collect();
    let keys: Vec<i64> = keys.into_iter().collect();
    let sql = "SELECT key FROM notifications WHERE key = ANY($1) ORDER BY key FOR SHARE";
    sqlx::query(sql).bind(&keys).execute(&mut *transaction.connection).await?;
    let sql = "SELECT key FROM notifications n WHERE key = ANY($1)
               AND (withdrawn OR EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key AND w.due_at <= $2))";
    let over: Vec<i64> =
        sqlx::query_scalar(sql).bind(&keys).bind(now).fetch_all(&mut *transaction.connection).await?;
    Ok(over.into_iter().collect())
}

/// Deletes these rows, whose inboxes are locked.
async fn delete(transaction: &mut Transaction<'_>, rows: &[(i64, i64, String)]) -> Result<(), Failure> {
    let sql = "DELETE FROM scheduled s USING unnest($1::bigint[], $2::text[]) d (notification, user_id)
               WHERE s.notification = d.notification AND s.user_id = d.user_id";
    let (keys, users): (Vec<i64>, Vec<&str>) =
        rows.iter().map(|(_, notification, user)| (*notification, user.as_str())).unzip();
    let query = sqlx::query(sql).bind(keys).bind(users).execute(&mut *transaction.connection);
    match query.await?.rows_affected() == rows.len() as u64 {
        true => Ok(()),
        false => Err(Failure::came_between()),
    }
}
