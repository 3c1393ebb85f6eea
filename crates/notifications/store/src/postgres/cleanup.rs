use std::collections::HashMap;

use internal_notifications_models::Timestamp;

use super::database::{Mutation, Outcome};
use super::sweep::inspection_columns;
use super::transaction::Transaction;
use crate::rules::cutoffs::Cutoffs;
use crate::sql::failure::Failure;
use crate::sql::inspection::{Cleaned, Inspection};
use crate::sql::journal::Inbox;
use crate::sql::row;

/// The most rows that a transaction changes, of each kind.
const ROWS: usize = 5_000;
/// The most inboxes of a transaction, which locks them until it ends.
const INBOXES: usize = 20;

/// Cleans up inboxes, after inspecting them again, since they may have changed.
pub(super) struct Cleanup {
    pub(super) inboxes: Vec<i64>,
    pub(super) cutoffs: Cutoffs,
    pub(super) now: Timestamp,
}

impl Mutation for Cleanup {
    type Answer = Cleaned;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Cleaned>, Failure> {
        let (these, rest) = self.inboxes.split_at_checked(INBOXES).unwrap_or((&self.inboxes, &[]));
        let mut cleaned = Cleaned { left: rest.to_vec(), ..Cleaned::default() };
        let mut inboxes = transaction.lock_keys(these).await?;
        let sql = concat!("SELECT ", inspection_columns!(), "FROM inboxes i WHERE i.key = ANY($5)");
        let query = sqlx::query(sql).bind(self.cutoffs.added_at).bind(self.cutoffs.count);
        let query = query.bind(self.cutoffs.changed_at).bind(self.cutoffs.removed_at);
        let rows = query.bind(these).fetch_all(&mut *transaction.connection).await?;
        let mut inspections = HashMap::new();
        for row in &rows {
            let inspection = Inspection::new(row)?;
            inspections.insert(inspection.inbox, inspection);
        }
        let mut work = Work { transaction, cleanup: self, rows: ROWS };
        for inbox in inboxes.values_mut() {
            let Some(inspection) = inspections.get(&inbox.key) else { continue };
            work.clean(inbox, inspection, &mut cleaned).await?;
        }
        transaction.flush(inboxes).await?;
        Ok(Outcome::Commit(cleaned))
    }
}

struct Work<'t, 'c> {
    transaction: &'t mut Transaction<'c>,
    cleanup: &'t Cleanup,
    /// The number of rows that the transaction may still change.
    rows: usize,
}

impl Work<'_, '_> {
    async fn clean(
        &mut self,
        inbox: &mut Inbox,
        inspection: &Inspection,
        cleaned: &mut Cleaned,
    ) -> Result<(), Failure> {
        if self.rows == 0 {
            cleaned.left.push(inbox.key);
            return Ok(());
        }
        if let Some(drift) = inspection.drift() {
            self.transaction.journal.recounted(inbox, self.cleanup.now, drift.counted)?;
            cleaned.drifts.push(drift);
        }
        if inspection.needs_pruning() {
            cleaned.pruned += self.prune(inbox, inspection.excess).await?;
        }
        let floor = inspection.new_floor(inbox.head.position.seq, &self.cleanup.cutoffs);
        cleaned.trimmed += self.trim(inbox.key, (inspection.floor, floor)).await?;
        self.forget_removed(inbox.key, floor).await?;
        if self.rows == 0 {
            cleaned.left.push(inbox.key);
        }
        Ok(())
    }

    /// Removes old notifications and those up to the seq `excess`, the oldest first.
    async fn prune(&mut self, inbox: &mut Inbox, excess: i64) -> Result<u64, Failure> {
        let sql = "SELECT d.added, n.id, d.opened_at IS NULL FROM deliveries d JOIN notifications n ON n.key = d.notification
                   WHERE d.inbox = $1 AND d.removed_at IS NULL AND (d.added <= $2 OR d.created_at <= $3) ORDER BY d.added LIMIT $4";
        let query = sqlx::query_as(sql).bind(inbox.key).bind(excess).bind(self.cleanup.cutoffs.added_at);
        let query = query.bind(row::limit(self.rows));
        let rows: Vec<(i64, String, bool)> = query.fetch_all(&mut *self.transaction.connection).await?;
        self.spend(rows.len() as u64);
        let at = self.cleanup.now;
        self.transaction.journal.pruned(inbox, at, &rows)?;
        let added: Vec<i64> = rows.iter().map(|(added, ..)| *added).collect();
        let sql = "UPDATE deliveries SET removed_at = $2 WHERE inbox = $1 AND added = ANY($3)";
        let query = sqlx::query(sql).bind(inbox.key).bind(at.as_millisecond()).bind(added);
        query.execute(&mut *self.transaction.connection).await?;
        Ok(rows.len() as u64)
    }

    /// Raises the floor as far as the number of rows allows, and returns how many changes were cut.
    async fn trim(&mut self, inbox: i64, (from, to): (u64, u64)) -> Result<u64, Failure> {
        let to = to.min(from + self.rows as u64);
        if to <= from {
            return Ok(0);
        }
        let sql = "UPDATE inboxes SET floor = $2 WHERE key = $1";
        let query = sqlx::query(sql).bind(inbox).bind(row::seq(to));
        query.execute(&mut *self.transaction.connection).await?;
        let sql = "DELETE FROM changes WHERE inbox = $1 AND seq <= $2";
        let query = sqlx::query(sql).bind(inbox).bind(row::seq(to));
        let trimmed = query.execute(&mut *self.transaction.connection).await?.rows_affected();
        self.spend(to - from);
        Ok(trimmed)
    }

    /// Forgets notifications that were removed long ago and are no longer in the log.
    async fn forget_removed(&mut self, inbox: i64, floor: u64) -> Result<(), Failure> {
        let sql = "DELETE FROM deliveries WHERE inbox = $1 AND added IN (
                       SELECT d.added FROM deliveries d
                       WHERE d.inbox = $1 AND d.removed_at IS NOT NULL AND d.removed_at <= $2 AND d.added <= $3 LIMIT $4)";
        let query = sqlx::query(sql).bind(inbox).bind(self.cleanup.cutoffs.removed_at).bind(row::seq(floor));
        let query = query.bind(row::limit(self.rows));
        let forgotten = query.execute(&mut *self.transaction.connection).await?.rows_affected();
        self.spend(forgotten);
        Ok(())
    }

    fn spend(&mut self, rows: u64) {
        self.rows = self.rows.saturating_sub(usize::try_from(rows).unwrap_or(usize::MAX));
    }
}

/// Deletes notifications that are still orphaned, and some old idempotency keys.
///
/// Returns whether there may be more of these keys.
pub(super) struct Forget {
    pub(super) orphans: Vec<i64>,
    pub(super) cutoffs: Cutoffs,
}

impl Mutation for Forget {
    type Answer = bool;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<bool>, Failure> {
        // A push that is delivering one of them has locked it; after it commits, its rows are seen
        // below.
        let sql = "SELECT key FROM notifications WHERE key = ANY($1) FOR UPDATE SKIP LOCKED";
        let query = sqlx::query_scalar(sql).bind(&self.orphans);
        let locked: Vec<i64> = query.fetch_all(&mut *transaction.connection).await?;
        let sql =
            "DELETE FROM notifications n WHERE key = ANY($1) AND coalesce(withdrawn_at, created_at) <= $2
                     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key)";
        sqlx::query(sql)
            .bind(locked)
            .bind(self.cutoffs.removed_at)
            .execute(&mut *transaction.connection)
            .await?;
        let sql = "WITH old AS (SELECT sender, key FROM idempotency WHERE at <= $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
                   DELETE FROM idempotency i USING old WHERE i.sender = old.sender AND i.key = old.key";
        let query = sqlx::query(sql).bind(self.cutoffs.key_used_at).bind(row::limit(ROWS));
        let forgotten = query.execute(&mut *transaction.connection).await?.rows_affected();
        Ok(Outcome::Commit(forgotten >= ROWS as u64))
    }
}
