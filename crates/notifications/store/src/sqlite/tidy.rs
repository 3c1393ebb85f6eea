use std::collections::BTreeMap;

use internal_notifications_models::{MAX_IDS, NotificationId, RemovedReason, Timestamp, UserId};

use super::row;
use super::sweep::{Looked, untidy_columns};
use super::transaction::Transaction;
use crate::Drift;
use crate::rules::cuts::Cuts;
use crate::sql::failure::Failure;
use crate::sql::journal::Inbox;

/// What a sweep found to be done.
pub(super) struct Untidy {
    /// The keys of the inboxes.
    pub(super) inboxes: Vec<i64>,
    /// The keys of notifications that nobody has any more.
    pub(super) forsaken: Vec<i64>,
    pub(super) cuts: Cuts,
    pub(super) now: Timestamp,
}

/// What one transaction did of it.
#[derive(Debug, Default)]
pub(super) struct Tidied {
    pub(super) pruned: u64,
    pub(super) trimmed: u64,
    pub(super) drifts: Vec<Drift>,
    /// Inboxes that are still to be done.
    pub(super) left: Vec<i64>,
}

impl Untidy {
    /// The most rows of a transaction, of each kind.
    pub(super) const ROWS: usize = 5_000;
    /// The most inboxes of a transaction.
    const INBOXES: usize = 100;
}

/// Does what is still to be done: what a reader saw may have changed since.
pub(super) async fn run(transaction: &mut Transaction<'_>, untidy: &Untidy) -> Result<Tidied, Failure> {
    let cuts = &untidy.cuts;
    let (these, rest) = untidy.inboxes.split_at_checked(Untidy::INBOXES).unwrap_or((&untidy.inboxes, &[]));
    let mut tidied = Tidied { left: rest.to_vec(), ..Tidied::default() };
    if !these.is_empty() {
        let sql =
            concat!("SELECT ", untidy_columns!(), "FROM json_each(?5) CROSS JOIN inboxes i ON i.key = value");
        let query = sqlx::query(sql).bind(cuts.age).bind(cuts.count).bind(cuts.log_age).bind(cuts.ids);
        let query = query.bind(serde_json::to_string(these)?);
        let rows = query.fetch_all(&mut *transaction.connection).await?;
        let mut work = Work { transaction, untidy, rows: Untidy::ROWS, inboxes: BTreeMap::new() };
        for row in rows {
            work.tidy(Looked::new(&row)?, &mut tidied).await?;
        }
        let inboxes = work.inboxes;
        transaction.flush(inboxes).await?;
    }
    forget_forsaken(transaction, untidy).await?;
    Ok(tidied)
}

struct Work<'t, 'c> {
    transaction: &'t mut Transaction<'c>,
    untidy: &'t Untidy,
    /// How many rows may still be touched.
    rows: usize,
    inboxes: BTreeMap<UserId, Inbox>,
}

impl Work<'_, '_> {
    async fn tidy(&mut self, mut looked: Looked, tidied: &mut Tidied) -> Result<(), Failure> {
        let inbox = looked.inbox.key;
        if self.rows == 0 {
            tidied.left.push(inbox);
            return Ok(());
        }
        if looked.has_drifted() {
            let drift = Drift {
                user_id: looked.user_id.clone(),
                counter: looked.inbox.head.pending,
                counted: looked.counted,
            };
            self.transaction.journal.recounted(&mut looked.inbox, self.untidy.now, looked.counted)?;
            tidied.drifts.push(drift);
        }
        if looked.is_to_be_pruned() {
            tidied.pruned += self.prune(&mut looked).await?;
        }
        let floor = looked.new_floor(&self.untidy.cuts);
        tidied.trimmed += self.trim(inbox, (looked.floor, floor)).await?;
        self.forget(inbox, floor).await?;
        if self.rows == 0 {
            tidied.left.push(inbox);
        }
        self.inboxes.insert(looked.user_id, looked.inbox);
        Ok(())
    }

    /// Removes what is older or more than what is kept, the oldest first.
    async fn prune(&mut self, looked: &mut Looked) -> Result<u64, Failure> {
        let sql = "SELECT d.added, n.id, d.opened_at IS NULL FROM deliveries d CROSS JOIN notifications n ON n.key = d.notification
                   WHERE d.inbox = ?1 AND d.removed_at IS NULL AND (d.added <= ?2 OR d.created_at <= ?3) ORDER BY d.added LIMIT ?4";
        let query = sqlx::query_as(sql).bind(looked.inbox.key).bind(looked.beyond).bind(self.untidy.cuts.age);
        let query = query.bind(row::limit(self.rows));
        let rows: Vec<(i64, String, bool)> = query.fetch_all(&mut *self.transaction.connection).await?;
        self.spend(rows.len() as u64);
        let at = self.untidy.now;
        for part in rows.chunks(MAX_IDS) {
            let ids =
                part.iter().map(|(_, id, _)| NotificationId::new(id.clone())).collect::<Result<_, _>>()?;
            let pending = part.iter().filter(|(.., pending)| *pending).count() as u64;
            let what = (ids, RemovedReason::Pruned);
            self.transaction.journal.removed(&mut looked.inbox, at, what, pending)?;
        }
        let added: Vec<_> = rows.iter().map(|(added, ..)| added).collect();
        let sql = "UPDATE deliveries SET removed_at = ?2 WHERE inbox = ?1 AND added IN (SELECT value FROM json_each(?3))";
        let query = sqlx::query(sql).bind(looked.inbox.key).bind(at.as_millisecond());
        query.bind(serde_json::to_string(&added)?).execute(&mut *self.transaction.connection).await?;
        Ok(rows.len() as u64)
    }

    /// Raises the floor, as far as there is room.
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

    /// Forgets what was removed long ago and is in the log no more: it may be pushed again.
    async fn forget(&mut self, inbox: i64, floor: u64) -> Result<(), Failure> {
        let sql = "DELETE FROM deliveries WHERE inbox = ?1 AND added IN (
                       SELECT d.added FROM deliveries d INDEXED BY deliveries_removed
                       WHERE d.inbox = ?1 AND d.removed_at <= ?2 AND d.added <= ?3 LIMIT ?4)";
        let query = sqlx::query(sql).bind(inbox).bind(self.untidy.cuts.ids).bind(row::seq(floor));
        let query = query.bind(row::limit(self.rows));
        let forgotten = query.execute(&mut *self.transaction.connection).await?.rows_affected();
        self.spend(forgotten);
        Ok(())
    }

    fn spend(&mut self, rows: u64) {
        self.rows = self.rows.saturating_sub(usize::try_from(rows).unwrap_or(usize::MAX));
    }
}

/// Deletes notifications that nobody has any more, and idempotency keys that are over.
async fn forget_forsaken(transaction: &mut Transaction<'_>, untidy: &Untidy) -> Result<(), Failure> {
    let sql = "DELETE FROM notifications WHERE key IN (SELECT value FROM json_each(?1))
                 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = notifications.key)
                 AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = notifications.key)
                 AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = notifications.key)";
    transaction.execute(sql, serde_json::to_string(&untidy.forsaken)?).await?;
    let sql = "DELETE FROM idempotency WHERE (sender, key) IN (SELECT sender, key FROM idempotency WHERE at <= ?1 ORDER BY at LIMIT ?2)";
    let query = sqlx::query(sql).bind(untidy.cuts.keys).bind(row::limit(Untidy::ROWS));
    query.execute(&mut *transaction.connection).await?;
    Ok(())
}
