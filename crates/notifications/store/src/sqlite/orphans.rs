use sqlx::{SqliteConnection, SqlitePool};

use super::row;
use super::transaction::Transaction;
use crate::rules::cutoffs::Cutoffs;
use crate::sql::failure::Failure;

/// Notes that nothing may refer to these notifications any more. A sweep forgets them once the time
/// for which ids are remembered has passed since `at` and since they were withdrawn.
pub(super) async fn note(
    connection: &mut SqliteConnection,
    notifications: &[i64],
    at: i64,
) -> Result<(), Failure> {
    let sql = "INSERT INTO orphans (notification, at)
               SELECT n.key, max(?2, coalesce(n.withdrawn_at, ?2)) FROM json_each(?1) CROSS JOIN notifications n ON n.key = value WHERE true
               ON CONFLICT (notification) DO UPDATE SET at = max(at, excluded.at)";
    sqlx::query(sql).bind(serde_json::to_string(notifications)?).bind(at).execute(connection).await?;
    Ok(())
}

/// The orphans among the notifications after the last one that was searched.
#[derive(Debug)]
pub(super) struct Search {
    after: i64,
    found: Vec<i64>,
    /// The last notification that was searched; 0 at the end of all.
    searched: i64,
}

impl Search {
    /// The most notifications of a search. Noting them all must not keep the writer for long.
    pub(super) const LIMIT: usize = 5_000;

    /// Searches the next notifications, where this server or an earlier one stopped.
    pub(super) async fn run(readers: &SqlitePool, limit: usize) -> Result<Self, Failure> {
        let after = Self::after(readers).await?;
        let sql = "SELECT key, NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM orphans o WHERE o.notification = n.key)
                   FROM notifications n WHERE key > ?1 ORDER BY key LIMIT ?2";
        let query = sqlx::query_as(sql).bind(after).bind(row::limit(limit));
        let rows: Vec<(i64, bool)> = query.fetch_all(readers).await?;
        let searched = rows.last().filter(|_| rows.len() == limit).map_or(0, |(key, _)| *key);
        let found = rows.into_iter().filter_map(|(key, is_orphan)| is_orphan.then_some(key)).collect();
        Ok(Self { after, found, searched })
    }

    /// Passes over the next notification, so that later searches do not meet it again before they
    /// have come to the end.
    pub(super) async fn pass_over(readers: &SqlitePool) -> Result<Self, Failure> {
        let after = Self::after(readers).await?;
        let sql = "SELECT coalesce(min(key), 0) FROM notifications WHERE key > ?1";
        let searched = sqlx::query_scalar(sql).bind(after).fetch_one(readers).await?;
        Ok(Self { after, found: Vec::new(), searched })
    }

    async fn after(readers: &SqlitePool) -> Result<i64, Failure> {
        let sql = "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'orphans_searched'), 0)";
        Ok(sqlx::query_scalar(sql).fetch_one(readers).await?)
    }

    /// Returns how many orphans it found.
    pub(super) fn rows(&self) -> usize {
        self.found.len()
    }

    /// Returns whether there is anything to store.
    pub(super) fn is_news(&self) -> bool {
        !self.found.is_empty() || self.searched != self.after
    }

    /// Returns whether to go on: it found orphans, and did not reach the end.
    pub(super) fn has_more(&self) -> bool {
        !self.found.is_empty() && self.searched > 0
    }

    /// Notes the orphans, and how far the search has come.
    pub(super) async fn store(&self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        let sql = "INSERT INTO orphans (notification, at)
                   SELECT n.key, coalesce(withdrawn_at, created_at) FROM json_each(?1) CROSS JOIN notifications n ON n.key = value WHERE true
                   ON CONFLICT (notification) DO NOTHING";
        let query = sqlx::query(sql).bind(serde_json::to_string(&self.found)?);
        query.execute(&mut *connection).await?;
        let sql = "INSERT INTO settings (name, value) VALUES ('orphans_searched', ?1)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(sql).bind(self.searched.to_string()).execute(connection).await?;
        Ok(())
    }
}

/// Returns the next notifications to look at, the longest noted first, except the first `skipped`.
pub(super) async fn due(
    readers: &SqlitePool,
    cutoffs: &Cutoffs,
    skipped: usize,
) -> Result<Vec<i64>, Failure> {
    let sql = "SELECT notification FROM orphans WHERE at <= ?1 ORDER BY at, notification LIMIT ?2 OFFSET ?3";
    let query = sqlx::query_scalar(sql).bind(cutoffs.removed_at).bind(row::limit(Forget::ROWS));
    Ok(query.bind(row::limit(skipped)).fetch_all(readers).await?)
}

/// Returns whether there are idempotency keys to forget.
pub(super) async fn has_old_keys(readers: &SqlitePool, cutoffs: &Cutoffs) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM idempotency WHERE at <= ?1)";
    Ok(sqlx::query_scalar(sql).bind(cutoffs.key_used_at).fetch_one(readers).await?)
}

/// What to forget at the end of a pass.
pub(super) struct Forget {
    /// The keys of notifications to look at.
    pub(super) orphans: Vec<i64>,
    pub(super) cutoffs: Cutoffs,
}

impl Forget {
    /// The most rows that a transaction deletes, of each kind.
    pub(super) const ROWS: usize = 500;
}

/// Deletes the notifications among these to which nothing refers, the notes about all, and some old
/// idempotency keys.
///
/// Returns how many notifications were deleted. What removes a later reference notes it again.
pub(super) async fn run(transaction: &mut Transaction<'_>, forget: &Forget) -> Result<u64, Failure> {
    let cutoffs = &forget.cutoffs;
    let mut forgotten = 0;
    if !forget.orphans.is_empty() {
        // A note may have become newer since it was found.
        let sql = "DELETE FROM orphans WHERE notification IN (SELECT value FROM json_each(?1)) AND at <= ?2 RETURNING notification";
        let query = sqlx::query_scalar(sql).bind(serde_json::to_string(&forget.orphans)?);
        let query = query.bind(cutoffs.removed_at);
        let noted: Vec<i64> = query.fetch_all(&mut *transaction.connection).await?;
        let sql = "DELETE FROM notifications WHERE key IN (SELECT value FROM json_each(?1))
                     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = notifications.key)
                     AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = notifications.key)
                     AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = notifications.key)";
        let query = sqlx::query(sql).bind(serde_json::to_string(&noted)?);
        forgotten = query.execute(&mut *transaction.connection).await?.rows_affected();
    }
    let sql = "DELETE FROM idempotency WHERE (sender, key) IN (SELECT sender, key FROM idempotency WHERE at <= ?1 ORDER BY at LIMIT ?2)";
    let query = sqlx::query(sql).bind(cutoffs.key_used_at).bind(row::limit(Forget::ROWS));
    query.execute(&mut *transaction.connection).await?;
    Ok(forgotten)
}
