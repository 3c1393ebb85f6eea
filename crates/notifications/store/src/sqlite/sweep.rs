use std::sync::atomic::{AtomicI64, Ordering};

use internal_notifications_models::UserId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};

use super::row;
use crate::Sweep;
use crate::rules::cuts::Cuts;
use crate::sql::failure::Failure;
use crate::sql::journal::Inbox;

/// Notifications that the end of a pass looks at.
const PASS: usize = 10_000;

/// The columns of `inboxes i` that tell what is to be done there; `?1` to `?4` are [`Cuts`].
macro_rules! untidy_columns {
    () => {
        "i.user_id, i.key, i.seq, i.tag, i.pending, i.floor,
         (SELECT published FROM publications WHERE inbox = i.key) AS published,
         (SELECT count(*) FROM deliveries d INDEXED BY deliveries_pending
          WHERE d.inbox = i.key AND d.opened_at IS NULL AND d.removed_at IS NULL) AS counted,
         (SELECT d.created_at FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL ORDER BY d.added LIMIT 1) <= ?1 AS old,
         CASE WHEN i.seq > ?2 THEN (SELECT d.added FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL
                                    ORDER BY d.added DESC LIMIT 1 OFFSET ?2) END AS beyond,
         coalesce((SELECT c.seq - 1 FROM changes c WHERE c.inbox = i.key AND c.at > ?3 ORDER BY c.seq LIMIT 1), i.seq) AS log_old,
         EXISTS (SELECT 1 FROM deliveries d INDEXED BY deliveries_removed
                 WHERE d.inbox = i.key AND d.removed_at <= ?4 AND d.added <= i.floor) AS forgettable "
    };
}

pub(super) use untidy_columns;

/// An inbox, and what is to be done there.
pub(super) struct Looked {
    pub(super) user_id: UserId,
    pub(super) inbox: Inbox,
    /// How many notifications are pending.
    pub(super) counted: u64,
    /// Those added up to there are more than are kept.
    pub(super) beyond: i64,
    /// Whether there are older ones than are kept.
    old: bool,
    pub(super) floor: u64,
    /// The last of the changes at the beginning of the log that are over.
    log_old: u64,
    /// Up to which seq it was published.
    published: u64,
    /// Whether there is something removed that may be forgotten.
    forgettable: bool,
}

impl Looked {
    pub(super) fn new(row: &SqliteRow) -> Result<Self, Failure> {
        let (user_id, inbox) = row::inbox(row)?;
        let unsigned =
            |column: &str| row.try_get::<Option<i64>, _>(column).map(|value| value.map(i64::cast_unsigned));
        Ok(Self {
            counted: unsigned("counted")?.unwrap_or(0),
            beyond: row.try_get::<Option<i64>, _>("beyond")?.unwrap_or(0),
            old: row.try_get::<Option<bool>, _>("old")?.unwrap_or(false),
            floor: unsigned("floor")?.unwrap_or(0),
            log_old: unsigned("log_old")?.unwrap_or(0),
            published: unsigned("published")?.unwrap_or(inbox.before),
            forgettable: row.try_get("forgettable")?,
            user_id,
            inbox,
        })
    }

    pub(super) fn has_drifted(&self) -> bool {
        self.inbox.head.pending != self.counted
    }

    pub(super) fn is_to_be_pruned(&self) -> bool {
        self.old || self.beyond > 0
    }

    /// Where its log is to begin.
    pub(super) fn new_floor(&self, cuts: &Cuts) -> u64 {
        cuts.floor(self.inbox.head.position.seq, self.log_old, Some(self.published)).max(self.floor)
    }

    pub(super) fn is_untidy(&self, cuts: &Cuts) -> bool {
        self.has_drifted() || self.is_to_be_pruned() || self.floor < self.new_floor(cuts) || self.forgettable
    }
}

/// The next inboxes of a sweep, in the order of their users.
pub(super) async fn look(readers: &SqlitePool, sweep: &Sweep, cuts: &Cuts) -> Result<Vec<Looked>, Failure> {
    let sql = concat!(
        "SELECT ",
        untidy_columns!(),
        "FROM inboxes i WHERE i.user_id > ?5 ORDER BY i.user_id LIMIT ?6"
    );
    let after = sweep.after.as_ref().map_or("", UserId::as_str).to_owned();
    let query = sqlx::query(sql).bind(cuts.age).bind(cuts.count).bind(cuts.log_age).bind(cuts.ids);
    let rows = query.bind(after).bind(row::limit(sweep.limit.max(1))).fetch_all(readers).await?;
    rows.iter().map(Looked::new).collect()
}

/// Notifications that nobody has, had or is to get, as far as is remembered: some each pass, in turn.
pub(super) async fn forsaken(
    readers: &SqlitePool,
    turn: &AtomicI64,
    cuts: &Cuts,
) -> Result<Vec<i64>, Failure> {
    let sql = "SELECT key, created_at <= ?3
                 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
                 AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
                 AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key)
               FROM notifications n WHERE key > ?1 ORDER BY key LIMIT ?2";
    let query = sqlx::query_as(sql).bind(turn.load(Ordering::Relaxed)).bind(row::limit(PASS));
    let rows: Vec<(i64, bool)> = query.bind(cuts.ids).fetch_all(readers).await?;
    let next = rows.last().filter(|_| rows.len() == PASS).map_or(0, |(key, _)| *key);
    turn.store(next, Ordering::Relaxed);
    Ok(rows.into_iter().filter_map(|(key, forsaken)| forsaken.then_some(key)).collect())
}

/// Whether there are idempotency keys that are over.
pub(super) async fn has_old_keys(readers: &SqlitePool, cuts: &Cuts) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM idempotency WHERE at <= ?1)";
    Ok(sqlx::query_scalar(sql).bind(cuts.keys).fetch_one(readers).await?)
}
