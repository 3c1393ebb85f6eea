use std::collections::HashMap;

use internal_notifications_models::Timestamp;

use super::database::{Mutation, Outcome};
use super::orphans;
use super::transaction::Transaction;
use crate::Drift;
use crate::rules::cutoffs::Cutoffs;
use crate::sql::failure::Failure;
use crate::sql::inspection::{Cleaned, Inspection};
use crate::sql::journal::Inbox;
use crate::sql::row;

/// The most rows that a transaction changes, of each kind.
const ROWS: usize = 2_000;
/// The most inboxes of a transaction, which locks them until it ends.
const INBOXES: usize = 20;

/// Cleans up what inspections found.
pub(super) struct Cleanup {
    pub(super) inspections: Vec<Inspection>,
    pub(super) cutoffs: Cutoffs,
    pub(super) now: Timestamp,
}

impl Mutation for Cleanup {
    type Answer = Cleaned;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<Cleaned>, Failure> {
        let all = &self.inspections;
        let (these, rest) = all.split_at_checked(INBOXES).unwrap_or((all, &[]));
        let mut cleaned = Cleaned { left: rest.to_vec(), ..Cleaned::default() };
        let keys: Vec<i64> = these.iter().map(|inspection| inspection.inbox).collect();
        let mut inspections: HashMap<i64, &Inspection> =
            these.iter().map(|inspection| (inspection.inbox, inspection)).collect();
        let mut inboxes = transaction.lock_keys(&keys, true).await?;
        let mut work = Work { transaction, cleanup: self, rows: ROWS, forgotten: Vec::new() };
        for inbox in inboxes.values_mut() {
            let Some(inspection) = inspections.remove(&inbox.key) else { continue };
            work.clean(inbox, inspection.clone(), &mut cleaned).await?;
        }
        let forgotten = work.forgotten;
        transaction.flush(inboxes).await?;
        orphans::note(transaction.connection, &forgotten, self.cutoffs.removed_at).await?;
        Ok(Outcome::Commit(cleaned))
    }
}

struct Work<'t, 'c> {
    transaction: &'t mut Transaction<'c>,
    cleanup: &'t Cleanup,
    /// The number of rows that the transaction may still change.
    rows: usize,
    /// The notifications of forgotten deliveries.
    forgotten: Vec<i64>,
}

impl Work<'_, '_> {
    async fn clean(
        &mut self,
        inbox: &mut Inbox,
        mut found: Inspection,
        cleaned: &mut Cleaned,
    ) -> Result<(), Failure> {
        if self.rows == 0 {
            cleaned.left.push(found);
            return Ok(());
        }
        if found.has_drift() {
            cleaned.drifts.extend(self.recount(inbox, &found).await?);
            found.repaired();
        }
        if found.needs_pruning() {
            cleaned.pruned += self.prune(inbox, &mut found).await?;
        }
        if found.needs_trimming(inbox.head.position.seq, &self.cleanup.cutoffs) {
            cleaned.trimmed += self.trim(inbox, &mut found).await?;
        }
        self.forget_removed(&found).await?;
        if self.rows == 0 {
            cleaned.left.push(found);
        }
        Ok(())
    }

    /// Repairs the pending count if it is still wrong.
    async fn recount(&mut self, inbox: &mut Inbox, found: &Inspection) -> Result<Option<Drift>, Failure> {
        let sql =
            "SELECT count(*) FROM deliveries WHERE inbox = $1 AND opened_at IS NULL AND removed_at IS NULL";
        let query = sqlx::query_scalar(sql).bind(inbox.key);
        let counted: i64 = query.fetch_one(&mut *self.transaction.connection).await?;
        let (counter, counted) = (inbox.head.pending, counted.cast_unsigned());
        if counter == counted {
            return Ok(None);
        }
        self.transaction.journal.recounted(inbox, self.cleanup.now, counted)?;
        Ok(Some(Drift::new(found.user_id.clone(), counter, counted)))
    }

    /// Removes notifications at the start of the inbox that are too old or too many.
    async fn prune(&mut self, inbox: &mut Inbox, found: &mut Inspection) -> Result<u64, Failure> {
        // The inner query bounds the search for the first notification that stays.
        let sql = "SELECT d.added, n.id, d.opened_at IS NULL FROM deliveries d JOIN notifications n ON n.key = d.notification
                   WHERE d.inbox = $1 AND d.removed_at IS NULL AND d.added > $2
                     AND d.added < coalesce((SELECT added FROM (SELECT k.added, k.created_at FROM deliveries k
                                                                WHERE k.inbox = $1 AND k.removed_at IS NULL AND k.added > $2
                                                                ORDER BY k.added LIMIT $5) first
                                             WHERE added > $3 AND created_at > $4 ORDER BY added LIMIT 1), 9223372036854775807)
                   ORDER BY d.added LIMIT $5";
        let query = sqlx::query_as(sql).bind(inbox.key).bind(found.removed).bind(found.excess);
        let query = query.bind(self.cleanup.cutoffs.added_at).bind(row::limit(self.rows));
        let rows: Vec<(i64, String, bool)> = query.fetch_all(&mut *self.transaction.connection).await?;
        let Some((last, ..)) = rows.last() else { return Ok(0) };
        self.spend(rows.len() as u64);
        let at = self.cleanup.now;
        self.transaction.journal.pruned(inbox, at, &rows)?;
        let sql = "UPDATE deliveries SET removed_at = $4 WHERE inbox = $1 AND removed_at IS NULL AND added > $2 AND added <= $3";
        let query = sqlx::query(sql).bind(inbox.key).bind(found.removed).bind(last);
        query.bind(at.as_millisecond()).execute(&mut *self.transaction.connection).await?;
        found.removed = *last;
        Ok(rows.len() as u64)
    }

    /// Raises the floor as far as the number of rows allows, and returns how many changes were cut.
    async fn trim(&mut self, inbox: &Inbox, found: &mut Inspection) -> Result<u64, Failure> {
        let (from, last) = (found.floor, found.last_to_trim(self.rows));
        let sql = "SELECT coalesce((SELECT seq - 1 FROM changes WHERE inbox = $1 AND seq > $2 AND seq <= $3 AND at > $4
                                    ORDER BY seq LIMIT 1), $3)";
        let query = sqlx::query_scalar(sql).bind(inbox.key).bind(row::seq(from)).bind(row::seq(last));
        let query = query.bind(self.cleanup.cutoffs.changed_at);
        let expired: i64 = query.fetch_one(&mut *self.transaction.connection).await?;
        let seq = inbox.head.position.seq;
        let to = self.cleanup.cutoffs.floor(seq, expired.cast_unsigned(), Some(last));
        if to <= from {
            return Ok(0);
        }
        let sql = "UPDATE inboxes SET floor = $2 WHERE key = $1 AND floor < $2";
        let query = sqlx::query(sql).bind(inbox.key).bind(row::seq(to));
        query.execute(&mut *self.transaction.connection).await?;
        let sql = "DELETE FROM changes WHERE inbox = $1 AND seq > $2 AND seq <= $3";
        let query = sqlx::query(sql).bind(inbox.key).bind(row::seq(from)).bind(row::seq(to));
        let trimmed = query.execute(&mut *self.transaction.connection).await?.rows_affected();
        self.spend(to - from);
        found.floor = to;
        Ok(trimmed)
    }

    /// Forgets notifications that were removed long ago and are no longer in the log.
    async fn forget_removed(&mut self, found: &Inspection) -> Result<(), Failure> {
        let sql = "DELETE FROM deliveries WHERE inbox = $1 AND added IN (
                       SELECT d.added FROM deliveries d WHERE d.inbox = $1 AND d.removed_at IS NOT NULL AND d.removed_at <= $2
                          AND d.added + 0 <= $3 ORDER BY d.removed_at LIMIT $4)
                   RETURNING notification";
        let query = sqlx::query_scalar(sql).bind(found.inbox).bind(self.cleanup.cutoffs.removed_at);
        let query = query.bind(row::seq(found.floor)).bind(row::limit(self.rows));
        let forgotten: Vec<i64> = query.fetch_all(&mut *self.transaction.connection).await?;
        self.spend(forgotten.len() as u64);
        self.forgotten.extend(forgotten);
        Ok(())
    }

    fn spend(&mut self, rows: u64) {
        self.rows = self.rows.saturating_sub(usize::try_from(rows).unwrap_or(usize::MAX));
    }
}
