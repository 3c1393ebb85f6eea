use std::collections::HashMap;

use internal_notifications_models::{MAX_IDS, NotificationId, RemovedReason, Timestamp, UserId};

use super::row;
use super::sweep::{Looked, untidy_columns};
use super::transaction::Transaction;
use super::work::{Ended, Writing};
use crate::Drift;
use crate::rules::cuts::Cuts;
use crate::sql::failure::Failure;
use crate::sql::journal::Inbox;

/// The most rows of a transaction, of each kind.
const ROWS: usize = 5_000;
/// The most inboxes of a transaction: as long as it lasts, nobody else can change them.
const INBOXES: usize = 20;

/// Inboxes where a sweep found something to be done. What it saw may have changed since.
pub(super) struct Tidy {
    pub(super) inboxes: Vec<i64>,
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

impl Writing for Tidy {
    type Answer = Tidied;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Ended<Tidied>, Failure> {
        let (these, rest) = self.inboxes.split_at_checked(INBOXES).unwrap_or((&self.inboxes, &[]));
        let mut tidied = Tidied { left: rest.to_vec(), ..Tidied::default() };
        let mut inboxes = transaction.lock_keys(these).await?;
        let sql = concat!("SELECT ", untidy_columns!(), "FROM inboxes i WHERE i.key = ANY($5)");
        let cuts = &self.cuts;
        let query = sqlx::query(sql).bind(cuts.age).bind(cuts.count).bind(cuts.log_age).bind(cuts.ids);
        let rows = query.bind(these).fetch_all(&mut *transaction.connection).await?;
        let mut looked = HashMap::new();
        for row in &rows {
            let one = Looked::new(row)?;
            looked.insert(one.inbox, one);
        }
        let mut work = Work { transaction, of: self, rows: ROWS };
        for (user_id, inbox) in &mut inboxes {
            let Some(looked) = looked.get(&inbox.key) else { continue };
            work.tidy(user_id, inbox, looked, &mut tidied).await?;
        }
        transaction.flush(inboxes).await?;
        Ok(Ended::Commit(tidied))
    }
}

struct Work<'t, 'c> {
    transaction: &'t mut Transaction<'c>,
    of: &'t Tidy,
    /// How many rows may still be touched.
    rows: usize,
}

impl Work<'_, '_> {
    async fn tidy(
        &mut self,
        user_id: &UserId,
        inbox: &mut Inbox,
        looked: &Looked,
        tidied: &mut Tidied,
    ) -> Result<(), Failure> {
        if self.rows == 0 {
            tidied.left.push(inbox.key);
            return Ok(());
        }
        if looked.has_drifted() {
            let Looked { counter, counted, .. } = *looked;
            self.transaction.journal.recounted(inbox, self.of.now, counted)?;
            tidied.drifts.push(Drift { user_id: user_id.clone(), counter, counted });
        }
        if looked.is_to_be_pruned() {
            tidied.pruned += self.prune(inbox, looked.beyond).await?;
        }
        let floor = looked.new_floor(inbox.head.position.seq, &self.of.cuts);
        tidied.trimmed += self.trim(inbox.key, (looked.floor, floor)).await?;
        self.forget(inbox.key, floor).await?;
        if self.rows == 0 {
            tidied.left.push(inbox.key);
        }
        Ok(())
    }

    /// Removes what is older or more than what is kept, the oldest first.
    async fn prune(&mut self, inbox: &mut Inbox, beyond: i64) -> Result<u64, Failure> {
        let sql = "SELECT d.added, n.id, d.opened_at IS NULL FROM deliveries d JOIN notifications n ON n.key = d.notification
                   WHERE d.inbox = $1 AND d.removed_at IS NULL AND (d.added <= $2 OR d.created_at <= $3) ORDER BY d.added LIMIT $4";
        let query = sqlx::query_as(sql).bind(inbox.key).bind(beyond).bind(self.of.cuts.age);
        let query = query.bind(row::limit(self.rows));
        let rows: Vec<(i64, String, bool)> = query.fetch_all(&mut *self.transaction.connection).await?;
        self.spend(rows.len() as u64);
        let at = self.of.now;
        for part in rows.chunks(MAX_IDS) {
            let ids =
                part.iter().map(|(_, id, _)| NotificationId::new(id.clone())).collect::<Result<_, _>>()?;
            let pending = part.iter().filter(|(.., pending)| *pending).count() as u64;
            self.transaction.journal.removed(inbox, at, (ids, RemovedReason::Pruned), pending)?;
        }
        let added: Vec<i64> = rows.iter().map(|(added, ..)| *added).collect();
        let sql = "UPDATE deliveries SET removed_at = $2 WHERE inbox = $1 AND added = ANY($3)";
        let query = sqlx::query(sql).bind(inbox.key).bind(at.as_millisecond()).bind(added);
        query.execute(&mut *self.transaction.connection).await?;
        Ok(rows.len() as u64)
    }

    /// Raises the floor, as far as there is room.
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

    /// Forgets what was removed long ago and is in the log no more: it may be pushed again.
    async fn forget(&mut self, inbox: i64, floor: u64) -> Result<(), Failure> {
        let sql = "DELETE FROM deliveries WHERE inbox = $1 AND added IN (
                       SELECT d.added FROM deliveries d
                       WHERE d.inbox = $1 AND d.removed_at IS NOT NULL AND d.removed_at <= $2 AND d.added <= $3 LIMIT $4)";
        let query = sqlx::query(sql).bind(inbox).bind(self.of.cuts.ids).bind(row::seq(floor));
        let query = query.bind(row::limit(self.rows));
        let forgotten = query.execute(&mut *self.transaction.connection).await?.rows_affected();
        self.spend(forgotten);
        Ok(())
    }

    fn spend(&mut self, rows: u64) {
        self.rows = self.rows.saturating_sub(usize::try_from(rows).unwrap_or(usize::MAX));
    }
}

/// Deletes notifications that nobody has any more, and some idempotency keys that are over. Answers whether there may be more of them.
pub(super) struct Forget {
    pub(super) notifications: Vec<i64>,
    pub(super) cuts: Cuts,
}

impl Writing for Forget {
    type Answer = bool;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Ended<bool>, Failure> {
        // A push that is giving one of them to somebody has it locked; whether one has done so is seen once it is locked here.
        let sql = "SELECT key FROM notifications WHERE key = ANY($1) FOR UPDATE SKIP LOCKED";
        let query = sqlx::query_scalar(sql).bind(&self.notifications);
        let locked: Vec<i64> = query.fetch_all(&mut *transaction.connection).await?;
        let sql = "DELETE FROM notifications n WHERE key = ANY($1)
                     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key)";
        sqlx::query(sql).bind(locked).execute(&mut *transaction.connection).await?;
        let sql = "WITH over AS (SELECT sender, key FROM idempotency WHERE at <= $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)
                   DELETE FROM idempotency i USING over WHERE i.sender = over.sender AND i.key = over.key";
        let query = sqlx::query(sql).bind(self.cuts.keys).bind(row::limit(ROWS));
        let forgotten = query.execute(&mut *transaction.connection).await?.rows_affected();
        Ok(Ended::Commit(forgotten >= ROWS as u64))
    }
}
