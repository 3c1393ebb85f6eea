use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use internal_notifications_models::UserId;
use sqlx::PgConnection;

use super::cleanup::{Cleanup, Forget};
use super::database::{Database, Query};
use crate::rules::cutoffs::Cutoffs;
use crate::sql::failure::Failure;
use crate::sql::inspection::Inspection;
use crate::sql::row;
use crate::{StoreError, Sweep, Swept};

/// The number of notifications that one pass inspects for orphans.
const ORPHAN_SCAN: usize = 10_000;

/// The columns of `inboxes i` that [`Inspection`] reads. `$1` to `$4` are from [`Cutoffs`].
macro_rules! inspection_columns {
    () => {
        "i.user_id, i.key, i.seq, i.pending, i.floor,
         (SELECT published FROM publications WHERE inbox = i.key) AS published,
         (SELECT count(*) FROM deliveries d WHERE d.inbox = i.key AND d.opened_at IS NULL AND d.removed_at IS NULL) AS counted,
         (SELECT d.created_at FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL ORDER BY d.added LIMIT 1) <= $1 AS has_old,
         CASE WHEN i.seq > $2 THEN (SELECT d.added FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL
                                    ORDER BY d.added DESC LIMIT 1 OFFSET $2) END AS excess,
         coalesce((SELECT c.seq - 1 FROM changes c WHERE c.inbox = i.key AND c.at > $3 ORDER BY c.seq LIMIT 1), i.seq) AS expired,
         EXISTS (SELECT 1 FROM deliveries d
                 WHERE d.inbox = i.key AND d.removed_at IS NOT NULL AND d.removed_at <= $4 AND d.added <= i.floor) AS has_forgettable "
    };
}

pub(super) use inspection_columns;

/// Executes [`Store::sweep`](crate::Store::sweep). `orphan_cursor` is the key of the last
/// notification that was inspected for orphans.
pub(super) async fn run(
    database: &Arc<Database>,
    orphan_cursor: &AtomicI64,
    sweep: Sweep,
) -> Result<Swept, StoreError> {
    let (cutoffs, now) = (sweep.cutoffs(), sweep.now);
    let inspections = database.read_consistently(Inspect { sweep: &sweep, cutoffs }).await?;
    let last = inspections.last().filter(|_| inspections.len() >= sweep.limit.max(1));
    let mut swept = Swept {
        next: last.map(|last| last.user_id.clone()),
        inboxes: inspections.len() as u64,
        ..Swept::default()
    };
    let dirty = inspections.iter().filter(|inspection| inspection.needs_cleaning(&cutoffs));
    let mut inboxes: Vec<i64> = dirty.map(|inspection| inspection.inbox).collect();
    while !inboxes.is_empty() {
        let cleaned = database.write(Cleanup { inboxes, cutoffs, now }).await?;
        swept.pruned += cleaned.pruned;
        swept.trimmed += cleaned.trimmed;
        swept.drifts.extend(cleaned.drifts);
        inboxes = cleaned.left;
    }
    if swept.next.is_none() {
        let after = orphan_cursor.load(Ordering::Relaxed);
        let (orphans, next) = database.read(Orphans { after, cutoffs }).await?;
        orphan_cursor.store(next, Ordering::Relaxed);
        let mut has_more = database.write(Forget { orphans, cutoffs }).await?;
        while has_more {
            has_more = database.write(Forget { orphans: Vec::new(), cutoffs }).await?;
        }
    }
    Ok(swept)
}

/// Inspects the next inboxes of a sweep, in the order of their users.
struct Inspect<'s> {
    sweep: &'s Sweep,
    cutoffs: Cutoffs,
}

impl Query for Inspect<'_> {
    type Answer = Vec<Inspection>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Vec<Inspection>, Failure> {
        let sql = concat!(
            "SELECT ",
            inspection_columns!(),
            "FROM inboxes i WHERE i.user_id > $5 AND i.seq > 0 ORDER BY i.user_id LIMIT $6"
        );
        let after = self.sweep.after.as_ref().map_or("", UserId::as_str);
        let query = sqlx::query(sql).bind(self.cutoffs.added_at).bind(self.cutoffs.count);
        let query = query.bind(self.cutoffs.changed_at).bind(self.cutoffs.removed_at);
        let rows = query.bind(after).bind(row::limit(self.sweep.limit.max(1))).fetch_all(connection).await?;
        rows.iter().map(Inspection::new).collect()
    }
}

/// Finds old notifications that no inbox, schedule or withdrawal refers to.
///
/// It inspects the next notifications after a key, and returns the orphans and the next key.
struct Orphans {
    after: i64,
    cutoffs: Cutoffs,
}

impl Query for Orphans {
    type Answer = (Vec<i64>, i64);

    async fn read(&self, connection: &mut PgConnection) -> Result<Self::Answer, Failure> {
        let sql = "SELECT key, created_at <= $3 AND coalesce(withdrawn_at, created_at) <= $3
                     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key)
                   FROM notifications n WHERE key > $1 ORDER BY key LIMIT $2";
        let query = sqlx::query_as(sql).bind(self.after).bind(row::limit(ORPHAN_SCAN));
        let rows: Vec<(i64, bool)> = query.bind(self.cutoffs.removed_at).fetch_all(connection).await?;
        let next = rows.last().filter(|_| rows.len() == ORPHAN_SCAN).map_or(0, |(key, _)| *key);
        Ok((rows.into_iter().filter_map(|(key, is_orphan)| is_orphan.then_some(key)).collect(), next))
    }
}
