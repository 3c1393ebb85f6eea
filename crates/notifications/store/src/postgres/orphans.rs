use sqlx::PgConnection;

use super::database::{Mutation, Outcome, Query};
use super::sweep_turn::Turn;
use super::transaction::Transaction;
use crate::rules::cutoffs::Cutoffs;
use crate::rules::groups::Groups;
use crate::sql::failure::Failure;
use crate::sql::row;
use crate::{StoreError, Swept};

/// The most notifications that a transaction forgets.
const ORPHANS: usize = 500;
/// The most notifications that a transaction searches for orphans.
const SEARCHED: usize = 10_000;
/// The most idempotency keys that a transaction forgets.
const KEYS: usize = 5_000;

/// Notes that nothing may refer to these notifications any more. A sweep forgets them once the time
/// for which ids are remembered has passed since `at` and since they were withdrawn.
pub(super) async fn note(
    connection: &mut PgConnection,
    notifications: &[i64],
    at: i64,
) -> Result<(), Failure> {
    let sql = "INSERT INTO orphans (notification, at) SELECT key, greatest($2, CASE WHEN withdrawn THEN withdrawn_at END)
               FROM notifications WHERE key = ANY($1) ORDER BY key
               ON CONFLICT (notification) DO UPDATE SET at = greatest(orphans.at, excluded.at)";
    sqlx::query(sql).bind(notifications).bind(at).execute(connection).await?;
    Ok(())
}

/// Notes orphans that were never noted, such as those of earlier versions.
///
/// A pass searches the next notifications, and goes on as long as it finds some.
///
/// A search that fails is made smaller. One that cannot is passed over.
pub(super) async fn search(turn: &mut Turn<'_>, swept: &mut Swept) -> Result<(), StoreError> {
    let mut limit = SEARCHED;
    loop {
        match turn.database.write(Search { limit, passes_over: false }).await {
            Ok(has_more) if has_more => turn.keep().await?,
            Ok(_) => return Ok(()),
            Err(error) => {
                turn.check_database(&error).await?;
                if limit == 1 {
                    turn.database.write(Search { limit, passes_over: true }).await?;
                    swept.unforgotten += 1;
                    return Ok(());
                }
                limit /= 2;
            }
        }
    }
}

/// Forgets notifications to which nothing has referred for long enough.
pub(super) async fn forget(
    turn: &mut Turn<'_>,
    cutoffs: &Cutoffs,
    swept: &mut Swept,
) -> Result<(), StoreError> {
    let mut after = (i64::MIN, 0);
    loop {
        let due = turn.database.read(Due { after, cutoffs }).await?;
        let Some(last) = due.last() else { return Ok(()) };
        after = *last;
        let mut groups = Groups::new(due.into_iter().map(|(_, key)| key), |_| 1, ORPHANS as u64);
        while let Some(group) = groups.take() {
            match turn.database.write(Forget { keys: group.clone(), noted_at: cutoffs.removed_at }).await {
                Ok(forgotten) => swept.forgotten += forgotten,
                Err(error) => {
                    turn.check_database(&error).await?;
                    swept.unforgotten += u64::from(groups.split(group).is_some());
                }
            }
            turn.keep().await?;
        }
    }
}

/// Searches the notifications after the last one that was searched, also by an earlier server.
///
/// Returns whether it found orphans and did not reach the end.
struct Search {
    limit: usize,
    /// Whether to pass over them without a look.
    passes_over: bool,
}

impl Mutation for Search {
    type Answer = bool;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<bool>, Failure> {
        let sql = "SELECT coalesce((SELECT value::bigint FROM settings WHERE name = 'orphans_searched'), 0)";
        let after: i64 = sqlx::query_scalar(sql).fetch_one(&mut *transaction.connection).await?;
        let sql = "SELECT count(*), coalesce(max(key), 0) FROM (SELECT key FROM notifications WHERE key > $1 ORDER BY key LIMIT $2) next";
        let query = sqlx::query_as(sql).bind(after).bind(row::limit(self.limit));
        let (count, last): (i64, i64) = query.fetch_one(&mut *transaction.connection).await?;
        // It passes over noted ones, since the insertion would wait for whoever renews a note.
        let sql = "INSERT INTO orphans (notification, at)
                   SELECT key, coalesce(CASE WHEN withdrawn THEN withdrawn_at END, created_at) FROM notifications n WHERE key > $1 AND key <= $2 AND NOT $3
                     AND NOT EXISTS (SELECT 1 FROM orphans o WHERE o.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key)
                   ON CONFLICT (notification) DO NOTHING";
        let query = sqlx::query(sql).bind(after).bind(last).bind(self.passes_over);
        let found = query.execute(&mut *transaction.connection).await?.rows_affected();
        let is_end = count < row::limit(self.limit);
        let next = if is_end { 0 } else { last };
        if found == 0 && next == after {
            return Ok(Outcome::Rollback(Ok(false)));
        }
        let sql = "INSERT INTO settings (name, value) VALUES ('orphans_searched', $1)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(sql).bind(next.to_string()).execute(&mut *transaction.connection).await?;
        Ok(Outcome::Commit(found > 0 && !is_end))
    }
}

/// Returns the next notifications to look at, the longest noted first, with the time of each note.
struct Due<'s> {
    after: (i64, i64),
    cutoffs: &'s Cutoffs,
}

impl Query for Due<'_> {
    type Answer = Vec<(i64, i64)>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Self::Answer, Failure> {
        let sql = "SELECT at, notification FROM orphans WHERE (at, notification) > ($1, $2) AND at <= $3
                   ORDER BY at, notification LIMIT $4";
        let query = sqlx::query_as(sql).bind(self.after.0).bind(self.after.1);
        Ok(query.bind(self.cutoffs.removed_at).bind(row::limit(ORPHANS)).fetch_all(connection).await?)
    }
}

/// Deletes the notifications among these to which nothing refers, and the notes about all.
///
/// Returns how many notifications were deleted. What removes a later reference notes it again.
struct Forget {
    keys: Vec<i64>,
    /// The time up to which a note counts.
    noted_at: i64,
}

impl Mutation for Forget {
    type Answer = u64;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<u64>, Failure> {
        // Whoever is noting one of them has locked its row; the note must not be lost.
        let sql = "SELECT notification FROM orphans WHERE notification = ANY($1) AND at <= $2 FOR UPDATE SKIP LOCKED";
        let query = sqlx::query_scalar(sql).bind(&self.keys).bind(self.noted_at);
        let noted: Vec<i64> = query.fetch_all(&mut *transaction.connection).await?;
        // A push that is delivering one of them has locked it; after it commits, its rows are seen
        // below.
        let sql = "SELECT key FROM notifications WHERE key = ANY($1) FOR UPDATE SKIP LOCKED";
        let query = sqlx::query_scalar(sql).bind(noted);
        let locked: Vec<i64> = query.fetch_all(&mut *transaction.connection).await?;
        let sql = "DELETE FROM notifications n WHERE key = ANY($1)
                     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key)";
        let query = sqlx::query(sql).bind(&locked);
        let forgotten = query.execute(&mut *transaction.connection).await?.rows_affected();
        let sql = "DELETE FROM orphans WHERE notification = ANY($1)";
        sqlx::query(sql).bind(&locked).execute(&mut *transaction.connection).await?;
        Ok(Outcome::Commit(forgotten))
    }
}

/// Deletes some old idempotency keys, and returns whether there may be more.
pub(super) struct ForgetKeys(pub(super) Cutoffs);

impl Mutation for ForgetKeys {
    type Answer = bool;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<bool>, Failure> {
        let sql = "WITH old AS (SELECT sender, key FROM idempotency WHERE at <= $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
                   DELETE FROM idempotency i USING old WHERE i.sender = old.sender AND i.key = old.key";
        let query = sqlx::query(sql).bind(self.0.key_used_at).bind(row::limit(KEYS));
        let forgotten = query.execute(&mut *transaction.connection).await?.rows_affected();
        Ok(Outcome::Commit(forgotten >= KEYS as u64))
    }
}
