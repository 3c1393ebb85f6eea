use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use internal_notifications_models::UserId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::row;
use super::tidy::{Forget, Tidy};
use super::work::{Database, Reading};
use crate::rules::cuts::Cuts;
use crate::sql::failure::Failure;
use crate::{StoreError, Sweep, Swept};

/// Notifications that the end of a pass looks at.
const PASS: usize = 10_000;

/// The columns of `inboxes i` that tell what is to be done there; `$1` to `$4` are [`Cuts`].
macro_rules! untidy_columns {
    () => {
        "i.user_id, i.key, i.seq, i.pending, i.floor,
         (SELECT published FROM publications WHERE inbox = i.key) AS published,
         (SELECT count(*) FROM deliveries d WHERE d.inbox = i.key AND d.opened_at IS NULL AND d.removed_at IS NULL) AS counted,
         (SELECT d.created_at FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL ORDER BY d.added LIMIT 1) <= $1 AS old,
         CASE WHEN i.seq > $2 THEN (SELECT d.added FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL
                                    ORDER BY d.added DESC LIMIT 1 OFFSET $2) END AS beyond,
         coalesce((SELECT c.seq - 1 FROM changes c WHERE c.inbox = i.key AND c.at > $3 ORDER BY c.seq LIMIT 1), i.seq) AS log_old,
         EXISTS (SELECT 1 FROM deliveries d
                 WHERE d.inbox = i.key AND d.removed_at IS NOT NULL AND d.removed_at <= $4 AND d.added <= i.floor) AS forgettable "
    };
}

pub(super) use untidy_columns;

/// [`Store::sweep`](crate::Store::sweep); `turn` is the notification up to which those that nobody has were looked for.
pub(super) async fn run(
    database: &Arc<Database>,
    turn: &AtomicI64,
    sweep: Sweep,
) -> Result<Swept, StoreError> {
    let (cuts, now) = (sweep.cuts(), sweep.now);
    let looked = database.read_moment(Look { sweep: &sweep, cuts }).await?;
    let next =
        looked.last().filter(|_| looked.len() >= sweep.limit.max(1)).map(|looked| looked.user_id.clone());
    let mut swept = Swept { next, inboxes: looked.len() as u64, ..Swept::default() };
    let mut inboxes: Vec<i64> =
        looked.iter().filter(|looked| looked.is_untidy(&cuts)).map(|looked| looked.inbox).collect();
    while !inboxes.is_empty() {
        let tidied = database.write(Tidy { inboxes, cuts, now }).await?;
        swept.pruned += tidied.pruned;
        swept.trimmed += tidied.trimmed;
        swept.drifts.extend(tidied.drifts);
        inboxes = tidied.left;
    }
    if swept.next.is_none() {
        let from = turn.load(Ordering::Relaxed);
        let (notifications, next) = database.read(Forsaken { from, cuts }).await?;
        turn.store(next, Ordering::Relaxed);
        let mut left = database.write(Forget { notifications, cuts }).await?;
        while left {
            left = database.write(Forget { notifications: Vec::new(), cuts }).await?;
        }
    }
    Ok(swept)
}

/// The next inboxes of a sweep, in the order of their users.
struct Look<'s> {
    sweep: &'s Sweep,
    cuts: Cuts,
}

/// An inbox, and what is to be done there.
pub(super) struct Looked {
    pub(super) user_id: UserId,
    pub(super) inbox: i64,
    /// How many notifications are pending, and how many the counter says.
    pub(super) counted: u64,
    pub(super) counter: u64,
    /// Those added up to there are more than are kept.
    pub(super) beyond: i64,
    /// Whether there are older ones than are kept.
    old: bool,
    seq: u64,
    pub(super) floor: u64,
    /// The last of the changes at the beginning of the log that are over.
    log_old: u64,
    /// Up to which seq it was published.
    published: u64,
    /// Whether there is something removed that may be forgotten.
    forgettable: bool,
}

impl Looked {
    pub(super) fn new(row: &PgRow) -> Result<Self, Failure> {
        let unsigned =
            |column: &str| row.try_get::<Option<i64>, _>(column).map(|value| value.map(i64::cast_unsigned));
        let seq = unsigned("seq")?.unwrap_or(0);
        Ok(Self {
            user_id: UserId::new(row.try_get::<String, _>("user_id")?)?,
            inbox: row.try_get("key")?,
            counted: unsigned("counted")?.unwrap_or(0),
            counter: unsigned("pending")?.unwrap_or(0),
            beyond: row.try_get::<Option<i64>, _>("beyond")?.unwrap_or(0),
            old: row.try_get::<Option<bool>, _>("old")?.unwrap_or(false),
            seq,
            floor: unsigned("floor")?.unwrap_or(0),
            log_old: unsigned("log_old")?.unwrap_or(0),
            published: unsigned("published")?.unwrap_or(seq),
            forgettable: row.try_get("forgettable")?,
        })
    }

    pub(super) fn has_drifted(&self) -> bool {
        self.counter != self.counted
    }

    pub(super) fn is_to_be_pruned(&self) -> bool {
        self.old || self.beyond > 0
    }

    /// Where its log is to begin, once its head is at this seq.
    pub(super) fn new_floor(&self, seq: u64, cuts: &Cuts) -> u64 {
        cuts.floor(seq, self.log_old, Some(self.published)).max(self.floor)
    }

    fn is_untidy(&self, cuts: &Cuts) -> bool {
        self.has_drifted()
            || self.is_to_be_pruned()
            || self.floor < self.new_floor(self.seq, cuts)
            || self.forgettable
    }
}

impl Reading for Look<'_> {
    type Answer = Vec<Looked>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Vec<Looked>, Failure> {
        let sql = concat!(
            "SELECT ",
            untidy_columns!(),
            "FROM inboxes i WHERE i.user_id > $5 AND i.seq > 0 ORDER BY i.user_id LIMIT $6"
        );
        let cuts = &self.cuts;
        let after = self.sweep.after.as_ref().map_or("", UserId::as_str);
        let query = sqlx::query(sql).bind(cuts.age).bind(cuts.count).bind(cuts.log_age).bind(cuts.ids);
        let rows = query.bind(after).bind(row::limit(self.sweep.limit.max(1))).fetch_all(connection).await?;
        rows.iter().map(Looked::new).collect()
    }
}

/// Notifications that nobody has, had or is to get, as far as is remembered: some each pass, in turn; and where to go on.
struct Forsaken {
    from: i64,
    cuts: Cuts,
}

impl Reading for Forsaken {
    type Answer = (Vec<i64>, i64);

    async fn read(&self, connection: &mut PgConnection) -> Result<Self::Answer, Failure> {
        let sql = "SELECT key, created_at <= $3
                     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.notification = n.key)
                     AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key)
                   FROM notifications n WHERE key > $1 ORDER BY key LIMIT $2";
        let query = sqlx::query_as(sql).bind(self.from).bind(row::limit(PASS)).bind(self.cuts.ids);
        let rows: Vec<(i64, bool)> = query.fetch_all(connection).await?;
        let next = rows.last().filter(|_| rows.len() == PASS).map_or(0, |(key, _)| *key);
        Ok((rows.into_iter().filter_map(|(key, forsaken)| forsaken.then_some(key)).collect(), next))
    }
}
