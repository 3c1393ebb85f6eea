use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use internal_notifications_models::UserId;
use sqlx::{PgConnection, Row};

use super::database::Query;
use crate::sql::failure::Failure;
use crate::sql::row::{self, change_columns, join_added};
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
                   ) p JOIN inboxes ON key = inbox ORDER BY part, inbox LIMIT $2";
        let query =
            sqlx::query_as(sql).bind(self.cursor.load(Ordering::Relaxed)).bind(row::limit(self.limit));
        let rows: Vec<(i64, String)> = query.bind(self.owner).fetch_all(connection).await?;
        if let Some((last, _)) = rows.last() {
            self.cursor.store(*last, Ordering::Relaxed);
        }
        rows.into_iter().map(|(_, user)| Ok(UserId::new(user)?)).collect()
    }
}

impl Query for Claim<'_> {
    type Answer = Vec<Unpublished>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Vec<Unpublished>, Failure> {
        let users: Vec<&str> = self.users.iter().map(|(user, _)| user.as_str()).collect();
        // A locked row is in use by a push, whose server then notifies its own dispatcher, or by
        // another dispatcher, which receives newer changes when it marks its own as published.
        let sql = "WITH free AS (SELECT p.inbox FROM inboxes i JOIN publications p ON p.inbox = i.key
                                 WHERE i.user_id = ANY($1) AND (p.owner = $2 OR p.until IS NULL OR p.until <= clock_timestamp())
                                 ORDER BY i.user_id FOR UPDATE OF p SKIP LOCKED)
                   UPDATE publications p SET owner = $2, until = clock_timestamp() + $3 * interval '1 millisecond'
                   FROM free WHERE p.inbox = free.inbox RETURNING p.inbox";
        let lease = i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX);
        let query = sqlx::query_scalar(sql).bind(users).bind(self.owner).bind(lease);
        let claimed: Vec<i64> = query.fetch_all(&mut *connection).await?;
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        self.changes(connection, claimed).await
    }
}

impl Claim<'_> {
    async fn changes(
        &self,
        connection: &mut PgConnection,
        claimed: Vec<i64>,
    ) -> Result<Vec<Unpublished>, Failure> {
        let sql = concat!(
            "SELECT requested.place, requested.missed > $4 AS far_behind, ",
            change_columns!(),
            ", CASE WHEN d.removed_at IS NULL AND octet_length(n.body) <= $5 THEN n.body END AS body
             FROM (SELECT u.place, i.key AS inbox, i.seq AS head, i.seq - greatest(p.published, u.after) AS missed
                   FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS u (user_id, after, place)
                   JOIN inboxes i ON i.user_id = u.user_id JOIN publications p ON p.inbox = i.key
                   WHERE i.key = ANY($3)) requested
             JOIN changes c ON c.inbox = requested.inbox
                           AND c.seq > requested.head - CASE WHEN requested.missed > $4 THEN 1 ELSE requested.missed END",
            join_added!(),
            "ORDER BY requested.place, c.seq"
        );
        let users: Vec<&str> = self.users.iter().map(|(user, _)| user.as_str()).collect();
        let after: Vec<i64> = self.users.iter().map(|(_, after)| row::seq(*after)).collect();
        let query = sqlx::query(sql).bind(users).bind(after).bind(claimed);
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
        // Only the server that has leased a row moves its mark.
        let sql = "WITH held AS (SELECT p.inbox, i.user_id, p.newest, greatest(p.published, m.seq) AS published
                                 FROM unnest($1::text[], $2::bigint[]) AS m (user_id, seq)
                                 JOIN inboxes i ON i.user_id = m.user_id JOIN publications p ON p.inbox = i.key
                                 WHERE p.owner = $3 OR p.until IS NULL OR p.until <= clock_timestamp()
                                 ORDER BY i.user_id FOR UPDATE OF p),
                   done AS (DELETE FROM publications p USING held WHERE p.inbox = held.inbox AND held.published >= held.newest)
                   UPDATE publications p SET published = held.published, owner = NULL, until = NULL,
                                             since = CASE WHEN held.published > p.published THEN clock_timestamp() ELSE p.since END
                   FROM held WHERE p.inbox = held.inbox AND held.published < held.newest RETURNING held.user_id";
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
