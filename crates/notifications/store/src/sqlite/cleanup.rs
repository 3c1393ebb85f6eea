use std::collections::BTreeMap;

use internal_notifications_models::{Timestamp, UserId};

use super::row;
use super::sweep::inspection_columns;
use super::transaction::Transaction;
use crate::rules::cutoffs::Cutoffs;
use crate::sql::failure::Failure;
use crate::sql::inspection::{Cleaned, Inspection};
use crate::sql::journal::Inbox;

/// What a sweep found to clean up.
pub(super) struct Cleanup {
    /// The keys of inboxes.
    pub(super) inboxes: Vec<i64>,
    /// The keys of notifications that nothing refers to.
    pub(super) orphans: Vec<i64>,
    pub(super) cutoffs: Cutoffs,
    pub(super) now: Timestamp,
}

impl Cleanup {
    /// The most rows that a transaction changes, of each kind.
    pub(super) const ROWS: usize = 5_000;
    /// The most inboxes of a transaction.
    const INBOXES: usize = 100;
}

/// Cleans up in one transaction. It inspects the inboxes again, since they may have changed.
pub(super) async fn run(transaction: &mut Transaction<'_>, cleanup: &Cleanup) -> Result<Cleaned, Failure> {
    let cutoffs = &cleanup.cutoffs;
    let all = &cleanup.inboxes;
    let (these, rest) = all.split_at_checked(Cleanup::INBOXES).unwrap_or((all, &[]));
    let mut cleaned = Cleaned { left: rest.to_vec(), ..Cleaned::default() };
    if !these.is_empty() {
        let sql = concat!(
            "SELECT ",
            inspection_columns!(),
            "FROM json_each(?5) CROSS JOIN inboxes i ON i.key = value"
        );
        let query = sqlx::query(sql).bind(cutoffs.added_at).bind(cutoffs.count);
        let query = query.bind(cutoffs.changed_at).bind(cutoffs.removed_at);
        let query = query.bind(serde_json::to_string(these)?);
        let rows = query.fetch_all(&mut *transaction.connection).await?;
        let mut work = Work { transaction, cleanup, rows: Cleanup::ROWS, inboxes: BTreeMap::new() };
        for row in rows {
            let (_, inbox) = row::inbox(&row)?;
            work.clean(inbox, Inspection::new(&row)?, &mut cleaned).await?;
        }
        let inboxes = work.inboxes;
        transaction.flush(inboxes).await?;
    }
    forget(transaction, cleanup).await?;
    Ok(cleaned)
}

struct Work<'t, 'c> {
    transaction: &'t mut Transaction<'c>,
    cleanup: &'t Cleanup,
    /// The number of rows that the transaction may still change.
    rows: usize,
    inboxes: BTreeMap<UserId, Inbox>,
}

impl Work<'_, '_> {
    async fn clean(
        &mut self,
        mut inbox: Inbox,
        inspection: Inspection,
        cleaned: &mut Cleaned,
    ) -> Result<(), Failure> {
        if self.rows == 0 {
            cleaned.left.push(inbox.key);
            return Ok(());
        }
        if let Some(drift) = inspection.drift() {
            self.transaction.journal.recounted(&mut inbox, self.cleanup.now, drift.counted)?;
            cleaned.drifts.push(drift);
        }
        if inspection.needs_pruning() {
            cleaned.pruned += self.prune(&mut inbox, inspection.excess).await?;
        }
        let floor = inspection.new_floor(inbox.head.position.seq, &self.cleanup.cutoffs);
        cleaned.trimmed += self.trim(inbox.key, (inspection.floor, floor)).await?;
        self.forget_removed(inbox.key, floor).await?;
        if self.rows == 0 {
            cleaned.left.push(inbox.key);
        }
        self.inboxes.insert(inspection.user_id, inbox);
        Ok(())
    }

    /// Removes old notifications and those up to the seq `excess`, the oldest first.
    async fn prune(&mut self, inbox: &mut Inbox, excess: i64) -> Result<u64, Failure> {
        let sql = "SELECT d.added, n.id, d.opened_at IS NULL FROM deliveries d CROSS JOIN notifications n ON n.key = d.notification
                   WHERE d.inbox = ?1 AND d.removed_at IS NULL AND (d.added <= ?2 OR d.created_at <= ?3) ORDER BY d.added LIMIT ?4";
        let query = sqlx::query_as(sql).bind(inbox.key).bind(excess).bind(self.cleanup.cutoffs.added_at);
        let query = query.bind(row::limit(self.rows));
        let rows: Vec<(i64, String, bool)> = query.fetch_all(&mut *self.transaction.connection).await?;
        self.spend(rows.len() as u64);
        let at = self.cleanup.now;
        self.transaction.journal.pruned(inbox, at, &rows)?;
        let added: Vec<_> = rows.iter().map(|(added, ..)| added).collect();
        let sql = "UPDATE deliveries SET removed_at = ?2 WHERE inbox = ?1 AND added IN (SELECT value FROM json_each(?3))";
        let query = sqlx::query(sql).bind(inbox.key).bind(at.as_millisecond());
        query.bind(serde_json::to_string(&added)?).execute(&mut *self.transaction.connection).await?;
        Ok(rows.len() as u64)
    }

    /// Raises the floor as far as the number of rows allows, and returns how many changes were cut.
    async fn trim(&mut self, inbox: i64, (from, to): (u64, u64)) -> Result<u64, Failure> {
        let to = to.min(from + self.rows as u64);
        if to <= from {
            return Ok(0);
        }
        let sql = "UPDATE inboxes SET floor = ?2 WHERE key = ?1";
        let query = sqlx::query(sql).bind(inbox).bind(row::seq(to));
        query.execute(&mut *self.transaction.connection).await?;
        let sql = "DELETE FROM changes WHERE inbox = ?1 AND seq <= ?2";
        let query = sqlx::query(sql).bind(inbox).bind(row::seq(to));
        let trimmed = query.execute(&mut *self.transaction.connection).await?.rows_affected();
        self.spend(to - from);
        Ok(trimmed)
    }

    /// Forgets notifications that were removed long ago and are no longer in the log.
    async fn forget_removed(&mut self, inbox: i64, floor: u64) -> Result<(), Failure> {
        let sql = "DELETE FROM deliveries WHERE inbox = ?1 AND added IN (
                       SELECT d.added FROM deliveries d INDEXED BY deliveries_removed
                       WHERE d.inbox = ?1 AND d.removed_at <= ?2 AND d.added <= ?3 LIMIT ?4)";
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

/// Deletes orphaned notifications that are still orphaned, and old idempotency keys.
async fn forget(transaction: &mut Transaction<'_>, cleanup: &Cleanup) -> Result<(), Failure> {
    let sql = "DELETE FROM notifications WHERE key IN (SELECT value FROM json_each(?1)) AND coalesce(withdrawn_at, created_at) <= ?2
                 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = notifications.key)
                 AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = notifications.key)
                 AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = notifications.key)";
    let query =
        sqlx::query(sql).bind(serde_json::to_string(&cleanup.orphans)?).bind(cleanup.cutoffs.removed_at);
    query.execute(&mut *transaction.connection).await?;
    let sql = "DELETE FROM idempotency WHERE (sender, key) IN (SELECT sender, key FROM idempotency WHERE at <= ?1 ORDER BY at LIMIT ?2)";
    let query = sqlx::query(sql).bind(cleanup.cutoffs.key_used_at).bind(row::limit(Cleanup::ROWS));
    query.execute(&mut *transaction.connection).await?;
    Ok(())
}
