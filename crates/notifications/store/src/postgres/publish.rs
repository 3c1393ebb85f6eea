use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use internal_notifications_models::UserId;
use sqlx::{PgConnection, Row};

use super::database::Query;
use super::read::lookup_added;
use crate::sql::failure::Failure;
use crate::sql::row::{self, change_columns};
use crate::{PublishLimits, Unpublished};

/// [`Store::unpublished_users`](crate::Store::unpublished_users).
pub(super) struct UnpublishedUsers<'a> {
    pub(super) owner: i64,
    /// The key of the last inbox that was returned.
    pub(super) cursor: &'a AtomicI64,
    pub(super) limit: usize,
}

/// [`Store::claim_unpublished`](crate::Store::claim_unpublished): takes a lease on the inboxes,
/// then reads.
pub(super) struct Claim<'a> {
    pub(super) owner: i64,
    pub(super) lease: Duration,
    pub(super) users: &'a [(UserId, u64)],
    pub(super) limits: PublishLimits,
}

/// [`Store::mark_published`](crate::Store::mark_published).
pub(super) struct Mark<'a> {
    pub(super) owner: i64,
    pub(super) marks: &'a [(UserId, u64)],
}

/// [`Store::unpublished_age`](crate::Store::unpublished_age).
pub(super) struct UnpublishedAge;

impl Query for UnpublishedUsers<'_> {
    type Answer = Vec<UserId>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Vec<UserId>, Failure> {
        let sql = "SELECT inbox, user_id FROM (
                       (SELECT inbox, 1 AS part FROM publications
                        WHERE inbox > $1 AND (owner = $3 OR until IS NULL OR until <= clock_timestamp()) ORDER BY inbox LIMIT $2)
                       UNION ALL
                       (SELECT inbox, 2 AS part FROM publications
                        WHERE inbox <= $1 AND (owner = $3 OR until IS NULL OR until <= clock_timestamp()) ORDER BY inbox LIMIT $2)
                   ) p CROSS JOIN LATERAL (SELECT user_id FROM inboxes WHERE key = p.inbox LIMIT 1) i
                   ORDER BY part, inbox LIMIT $2";
        // A user id that cannot be read keeps nobody else waiting, and takes no place in the
        // page. A sweep reports it.
        let mut unreadable = 0;
        loop {
            let most = self.limit.saturating_add(unreadable);
            let query = sqlx::query_as(sql).bind(self.cursor.load(Ordering::Relaxed)).bind(row::limit(most));
            let rows: Vec<(i64, String)> = query.bind(self.owner).fetch_all(&mut *connection).await?;
            let (read, last) = (rows.len(), rows.last().map(|(inbox, _)| *inbox));
            let users = rows.into_iter().filter_map(|(_, user)| UserId::new(user).ok());
            let users: Vec<UserId> = users.take(self.limit).collect();
            if read < most || users.len() == self.limit {
                if let Some(last) = last {
                    self.cursor.store(last, Ordering::Relaxed);
                }
                return Ok(users);
            }
            unreadable = read - users.len();
        }
    }
}

impl Query for Claim<'_> {
    type Answer = Vec<Unpublished>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Vec<Unpublished>, Failure> {
        // A locked row is in use by a push, whose server then notifies its own dispatcher, or by
        // another dispatcher, which receives newer changes when it marks its own as published. The
        // lock also takes rows that were committed after this statement's snapshot, whose changes
        // it cannot see: they are left to the dispatcher of the server that pushed them.
        let sql = concat!(
            "WITH claimed AS (
                 SELECT u.place, p.inbox, p.newest - greatest(p.published, u.after) AS missed, greatest(p.published, u.after) AS after
                 FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS u (user_id, after, place)
                 CROSS JOIN LATERAL (SELECT key FROM inboxes WHERE user_id = u.user_id LIMIT 1) i
                 CROSS JOIN LATERAL (SELECT inbox, published, newest FROM publications
                                     WHERE inbox = i.key AND (owner = $3 OR until IS NULL OR until <= clock_timestamp())
                                     LIMIT 1 FOR UPDATE SKIP LOCKED) p
                 CROSS JOIN LATERAL (SELECT FROM changes WHERE inbox = p.inbox AND seq > greatest(p.published, u.after) LIMIT 1) c),
             leased AS (UPDATE publications SET owner = $3, until = clock_timestamp() + $4 * interval '1 millisecond'
                        WHERE inbox = ANY(ARRAY(SELECT inbox FROM claimed)))
             SELECT claimed.place, claimed.missed > $5 AS far_behind, ",
            change_columns!(),
            ", CASE WHEN d.removed_at IS NULL AND octet_length(n.body) <= $6 THEN n.body END AS body
             FROM claimed CROSS JOIN LATERAL (SELECT * FROM changes WHERE inbox = claimed.inbox AND seq > claimed.after
                                              ORDER BY seq DESC LIMIT CASE WHEN claimed.missed > $5 THEN 1 END) c",
            lookup_added!(),
            "ORDER BY claimed.place, c.seq"
        );
        let (users, after): (Vec<&str>, Vec<i64>) =
            self.users.iter().map(|(user, after)| (user.as_str(), row::seq(*after))).unzip();
        let lease = i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX);
        let query = sqlx::query(sql).bind(users).bind(after).bind(self.owner).bind(lease);
        let query = query.bind(row::limit(self.limits.changes)).bind(row::limit(self.limits.body_bytes));
        let mut unpublished: BTreeMap<i64, Unpublished> = BTreeMap::new();
        for row in query.fetch_all(connection).await? {
            let place: i64 = row.try_get("place")?;
            let request = usize::try_from(place - 1).ok().and_then(|place| self.users.get(place));
            let Some((user_id, _)) = request else { continue };
            let far_behind = row.try_get("far_behind")?;
            let of_user = unpublished.entry(place).or_insert_with(|| Unpublished {
                user_id: user_id.clone(),
                changes: Vec::new(),
                far_behind,
            });
            of_user.changes.push(row::change(&row)?);
        }
        Ok(unpublished.into_values().collect())
    }
}

impl Query for Mark<'_> {
    type Answer = Vec<UserId>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Vec<UserId>, Failure> {
        let mut marks: BTreeMap<&str, i64> = BTreeMap::new();
        for (user, seq) in self.marks {
            let mark = marks.entry(user.as_str()).or_default();
            *mark = row::seq(*seq).max(*mark);
        }
        // Only the server that has leased a row moves its mark. Rows are locked in the order of the
        // users.
        let sql = "WITH held AS (SELECT p.inbox, p.newest, greatest(p.published, m.seq) AS published
                                 FROM unnest($1::text[], $2::bigint[]) AS m (user_id, seq)
                                 CROSS JOIN LATERAL (SELECT key FROM inboxes WHERE user_id = m.user_id LIMIT 1) i
                                 CROSS JOIN LATERAL (SELECT inbox, published, newest FROM publications
                                                     WHERE inbox = i.key AND (owner = $3 OR until IS NULL OR until <= clock_timestamp())
                                                     LIMIT 1 FOR UPDATE) p),
                   done AS (DELETE FROM publications WHERE inbox = ANY(ARRAY(SELECT inbox FROM held WHERE published >= newest)))
                   INSERT INTO publications AS p (inbox, published, newest)
                   SELECT inbox, published, newest FROM held WHERE published < newest
                   ON CONFLICT (inbox) DO UPDATE SET published = excluded.published, owner = NULL, until = NULL,
                       since = CASE WHEN excluded.published > p.published THEN clock_timestamp() ELSE p.since END
                   RETURNING (SELECT user_id FROM inboxes WHERE key = p.inbox)";
        let (users, seqs): (Vec<&str>, Vec<i64>) = marks.into_iter().unzip();
        let query = sqlx::query_scalar(sql).bind(users).bind(seqs).bind(self.owner);
        let behind: Vec<String> = query.fetch_all(connection).await?;
        behind.into_iter().map(|user| Ok(UserId::new(user)?)).collect()
    }
}

impl Query for UnpublishedAge {
    type Answer = Option<Duration>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Option<Duration>, Failure> {
        let sql = "SELECT extract(epoch FROM clock_timestamp() - since)::float8
                   FROM publications ORDER BY since LIMIT 1";
        let seconds: Option<f64> = sqlx::query_scalar(sql).fetch_optional(connection).await?;
        Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()))
    }
}
