use std::sync::atomic::{AtomicI64, Ordering};

use internal_notifications_models::UserId;
use sqlx::SqlitePool;

use super::row;
use crate::Sweep;
use crate::rules::cutoffs::Cutoffs;
use crate::sql::failure::Failure;
use crate::sql::inspection::Inspection;

/// The number of notifications that one pass inspects for orphans.
const ORPHAN_SCAN: usize = 10_000;

/// The columns of `inboxes i` that [`Inspection`] reads. `?1` to `?4` are from [`Cutoffs`].
macro_rules! inspection_columns {
    () => {
        "i.user_id, i.key, i.seq, i.tag, i.pending, i.floor,
         (SELECT published FROM publications WHERE inbox = i.key) AS published,
         (SELECT count(*) FROM deliveries d INDEXED BY deliveries_pending
          WHERE d.inbox = i.key AND d.opened_at IS NULL AND d.removed_at IS NULL) AS counted,
         (SELECT d.created_at FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL ORDER BY d.added LIMIT 1) <= ?1 AS has_old,
         CASE WHEN i.seq > ?2 THEN (SELECT d.added FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL
                                    ORDER BY d.added DESC LIMIT 1 OFFSET ?2) END AS excess,
         coalesce((SELECT c.seq - 1 FROM changes c WHERE c.inbox = i.key AND c.at > ?3 ORDER BY c.seq LIMIT 1), i.seq) AS expired,
         EXISTS (SELECT 1 FROM deliveries d INDEXED BY deliveries_removed
                 WHERE d.inbox = i.key AND d.removed_at <= ?4 AND d.added <= i.floor) AS has_forgettable "
    };
}

pub(super) use inspection_columns;

/// Inspects the next inboxes of a sweep, in the order of their users.
pub(super) async fn inspect(
    readers: &SqlitePool,
    sweep: &Sweep,
    cutoffs: &Cutoffs,
) -> Result<Vec<Inspection>, Failure> {
    let sql = concat!(
        "SELECT ",
        inspection_columns!(),
        "FROM inboxes i WHERE i.user_id > ?5 ORDER BY i.user_id LIMIT ?6"
    );
    let after = sweep.after.as_ref().map_or("", UserId::as_str).to_owned();
    let query = sqlx::query(sql).bind(cutoffs.added_at).bind(cutoffs.count);
    let query = query.bind(cutoffs.changed_at).bind(cutoffs.removed_at);
    let rows = query.bind(after).bind(row::limit(sweep.limit.max(1))).fetch_all(readers).await?;
    rows.iter().map(Inspection::new).collect()
}

/// Returns the keys of old notifications that no inbox, schedule or withdrawal refers to.
///
/// Each call inspects the next notifications after the cursor, and moves the cursor.
pub(super) async fn orphans(
    readers: &SqlitePool,
    cursor: &AtomicI64,
    cutoffs: &Cutoffs,
) -> Result<Vec<i64>, Failure> {
    let sql = "SELECT key, created_at <= ?3 AND coalesce(withdrawn_at, created_at) <= ?3
                 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
                 AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
                 AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key)
               FROM notifications n WHERE key > ?1 ORDER BY key LIMIT ?2";
    let query = sqlx::query_as(sql).bind(cursor.load(Ordering::Relaxed)).bind(row::limit(ORPHAN_SCAN));
    let rows: Vec<(i64, bool)> = query.bind(cutoffs.removed_at).fetch_all(readers).await?;
    let next = rows.last().filter(|_| rows.len() == ORPHAN_SCAN).map_or(0, |(key, _)| *key);
    cursor.store(next, Ordering::Relaxed);
    Ok(rows.into_iter().filter_map(|(key, is_orphan)| is_orphan.then_some(key)).collect())
}

/// Returns whether there are idempotency keys to forget.
pub(super) async fn has_old_keys(readers: &SqlitePool, cutoffs: &Cutoffs) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM idempotency WHERE at <= ?1)";
    Ok(sqlx::query_scalar(sql).bind(cutoffs.key_used_at).fetch_one(readers).await?)
}
