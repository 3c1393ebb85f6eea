use std::collections::{BTreeMap, HashMap, HashSet};

use internal_notifications_models::{Timestamp, UserId};
use sqlx::Row;

use super::transaction::Transaction;
use super::{orphans, row};
use crate::Advanced;
use crate::rules::withdrawal::{Limits, Withdrawn};
use crate::sql::failure::Failure;
use crate::sql::journal::{Inbox, Removal, read_removal};

/// A withdrawal that is due.
#[derive(Clone, Debug)]
pub(super) struct Withdrawal {
    pub(super) due_at: i64,
    pub(super) notification: i64,
    pub(super) id: String,
    /// As on the wire.
    pub(super) reason: String,
    /// The inboxes with keys up to this are done.
    pub(super) reached: i64,
}

/// Removes withdrawn notifications from the next inboxes, and cancels scheduled deliveries.
#[derive(Debug)]
pub(super) struct Withdraw {
    pub(super) withdrawals: Vec<Withdrawal>,
    pub(super) at: Timestamp,
    pub(super) limits: Limits,
}

impl Withdraw {
    pub(super) async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Withdrawn, Failure> {
        let keys: Vec<i64> = self.withdrawals.iter().map(|withdrawal| withdrawal.notification).collect();
        let sql = "UPDATE notifications SET withdrawn = 1, withdrawn_at = ?2
                   WHERE key IN (SELECT value FROM json_each(?1)) AND NOT withdrawn";
        let query = sqlx::query(sql).bind(serde_json::to_string(&keys)?).bind(self.at.as_millisecond());
        query.execute(&mut *transaction.connection).await?;
        let mut done = Advanced { has_more: true, ..Advanced::default() };
        let mut unfinished = self.cancel(transaction, &keys, &mut done).await?;
        let mut reached = self.remove(transaction, &mut done).await?;
        reached.retain(|_, (_, count)| *count >= self.limits.inboxes);
        let reached: BTreeMap<i64, i64> =
            reached.into_iter().map(|(notification, (last, _))| (notification, last)).collect();
        unfinished.extend(reached.keys());
        let finished: Vec<i64> = keys.iter().copied().filter(|key| !unfinished.contains(key)).collect();
        let sql = "DELETE FROM withdrawals WHERE notification IN (SELECT value FROM json_each(?1))";
        transaction.execute(sql, serde_json::to_string(&finished)?).await?;
        orphans::note(transaction.connection, &finished, self.at.as_millisecond()).await?;
        let sql = "UPDATE withdrawals SET reached = ?2 WHERE notification = ?1";
        for (notification, last) in &reached {
            sqlx::query(sql).bind(notification).bind(last).execute(&mut *transaction.connection).await?;
        }
        Ok(Withdrawn { done, reached })
    }

    /// Cancels scheduled deliveries, and returns the notifications that may have more.
    async fn cancel(
        &self,
        transaction: &mut Transaction<'_>,
        keys: &[i64],
        done: &mut Advanced,
    ) -> Result<HashSet<i64>, Failure> {
        let sql = "SELECT value FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = value)";
        let query = sqlx::query_scalar(sql).bind(serde_json::to_string(keys)?);
        let scheduled: HashSet<i64> =
            query.fetch_all(&mut *transaction.connection).await?.into_iter().collect();
        let mut unfinished = HashSet::new();
        for withdrawal in self.withdrawals.iter().filter(|of| scheduled.contains(&of.notification)) {
            let sql = "DELETE FROM scheduled WHERE notification = ?1 AND user_id <=
                           coalesce((SELECT user_id FROM scheduled WHERE notification = ?1 ORDER BY user_id LIMIT 1 OFFSET ?2), x'ff')";
            let query =
                sqlx::query(sql).bind(withdrawal.notification).bind(row::limit(self.limits.cancelled - 1));
            let cancelled = query.execute(&mut *transaction.connection).await?.rows_affected();
            if cancelled >= self.limits.cancelled as u64 {
                unfinished.insert(withdrawal.notification);
            }
            // A retraction has already counted those that it cancels.
            if withdrawal.reason == "expired" {
                done.expired += cancelled;
            }
        }
        Ok(unfinished)
    }

    /// Removes notifications from the next inboxes, after passing over those that no longer have
    /// it: a notification that most users have removed would otherwise be read to its end in one
    /// statement. Returns the last inbox of each, and how many there were.
    async fn remove(
        &self,
        transaction: &mut Transaction<'_>,
        done: &mut Advanced,
    ) -> Result<HashMap<i64, (i64, usize)>, Failure> {
        let sql = "SELECT i.user_id, i.key, i.seq, i.tag, i.pending, d.notification, d.added, d.opened_at IS NULL AS was_pending,
                       d.removed_at IS NULL AS is_present
                   FROM json_each(?1) g
                   CROSS JOIN deliveries d INDEXED BY deliveries_by_notification
                       ON d.notification = g.value ->> 0 AND d.inbox > g.value ->> 1
                       AND d.inbox <= coalesce((SELECT l.inbox FROM deliveries l INDEXED BY deliveries_by_notification
                                                WHERE l.notification = g.value ->> 0 AND l.inbox > g.value ->> 1
                                                ORDER BY l.inbox LIMIT 1 OFFSET ?2), 9223372036854775807)
                   CROSS JOIN inboxes i ON i.key = d.inbox
                   ORDER BY g.key, d.inbox";
        let from: Vec<_> = self.withdrawals.iter().map(|of| (of.notification, of.reached)).collect();
        let query = sqlx::query(sql).bind(serde_json::to_string(&from)?);
        let rows =
            query.bind(row::limit(self.limits.inboxes - 1)).fetch_all(&mut *transaction.connection).await?;
        let removals = self.removals()?;
        let mut inboxes: BTreeMap<UserId, Inbox> = BTreeMap::new();
        let mut reached: HashMap<i64, (i64, usize)> = HashMap::new();
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in &rows {
            let (user, inbox) = row::inbox(row)?;
            let (notification, added): (i64, i64) = (row.try_get("notification")?, row.try_get("added")?);
            let (last, count) = reached.entry(notification).or_default();
            (*last, *count) = (inbox.key, *count + 1);
            if !row.try_get::<bool, _>("is_present")? {
                continue;
            }
            deliveries.push((inbox.key, added));
            let Some(removal) = removals.get(&notification) else { continue };
            let inbox = inboxes.entry(user).or_insert(inbox);
            let pending = u64::from(row.try_get::<bool, _>("was_pending")?);
            transaction.journal.removed(inbox, self.at, removal.clone(), pending)?;
        }
        let sql = "UPDATE deliveries SET removed_at = ?2
                   WHERE (inbox, added) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))";
        let query = sqlx::query(sql).bind(serde_json::to_string(&deliveries)?).bind(self.at.as_millisecond());
        query.execute(&mut *transaction.connection).await?;
        transaction.flush(inboxes).await?;
        done.withdrawn = deliveries.len() as u64;
        Ok(reached)
    }

    fn removals(&self) -> Result<HashMap<i64, Removal>, Failure> {
        let removal = |of: &Withdrawal| Ok((of.notification, read_removal(&of.id, &of.reason)?));
        self.withdrawals.iter().map(removal).collect()
    }
}
