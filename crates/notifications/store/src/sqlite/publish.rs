use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use internal_notifications_models::UserId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};

use super::command::Command;
use super::row::{self, change_columns, join_added};
use super::transaction::Transaction;
use crate::sql::failure::Failure;
use crate::{PublishLimits, Unpublished};

/// Applies the marks of all commands of a transaction at once.
pub(super) async fn mark(transaction: &mut Transaction<'_>, commands: &mut [Command]) -> Result<(), Failure> {
    let mut marks: BTreeMap<&UserId, i64> = BTreeMap::new();
    for command in commands {
        let Command::Mark(of, reply) = command else { continue };
        for (user, seq) in of.iter() {
            let mark = marks.entry(user).or_default();
            *mark = row::seq(*seq).max(*mark);
        }
        reply.set(Ok(Vec::new()));
    }
    if marks.is_empty() {
        return Ok(());
    }
    let marks = serde_json::to_string(&marks)?;
    transaction
        .execute(
            "INSERT INTO publications (inbox, published)
             SELECT p.inbox, j.value FROM json_each(?1) j CROSS JOIN inboxes i ON i.user_id = j.key
             CROSS JOIN publications p ON p.inbox = i.key WHERE p.published < j.value
             ON CONFLICT (inbox) DO UPDATE SET published = excluded.published,
                                               since = CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            marks.clone(),
        )
        .await?;
    transaction
        .execute(
            "DELETE FROM publications
             WHERE inbox IN (SELECT i.key FROM json_each(?1) j CROSS JOIN inboxes i ON i.user_id = j.key)
               AND published >= (SELECT seq FROM inboxes WHERE key = inbox)",
            marks,
        )
        .await
}

/// Returns the next users after the cursor that have unpublished changes, and moves the cursor.
pub(super) async fn unpublished_users(
    readers: &SqlitePool,
    cursor: &AtomicI64,
    limit: usize,
) -> Result<Vec<UserId>, Failure> {
    let sql = "SELECT inbox, user_id FROM (
                   SELECT * FROM (SELECT inbox FROM publications WHERE inbox > ?1 ORDER BY inbox LIMIT ?2)
                   UNION ALL
                   SELECT * FROM (SELECT inbox FROM publications WHERE inbox <= ?1 ORDER BY inbox LIMIT ?2)
               ) CROSS JOIN inboxes ON key = inbox LIMIT ?2";
    // A user id that cannot be read keeps nobody else waiting, and takes no place in the page. A
    // sweep reports it.
    let user = |row: &SqliteRow| UserId::new(row.try_get::<String, _>("user_id").ok()?).ok();
    let mut unreadable = 0;
    loop {
        let most = limit.saturating_add(unreadable);
        let query = sqlx::query(sql).bind(cursor.load(Ordering::Relaxed)).bind(row::limit(most));
        let rows = query.fetch_all(readers).await?;
        let users: Vec<UserId> = rows.iter().filter_map(user).take(limit).collect();
        if rows.len() < most || users.len() == limit {
            if let Some(last) = rows.last() {
                cursor.store(last.try_get("inbox")?, Ordering::Relaxed);
            }
            return Ok(users);
        }
        unreadable = rows.len() - users.len();
    }
}

/// Returns how long ago the oldest unpublished change was made, as far as the marks tell.
pub(super) async fn unpublished_age(readers: &SqlitePool) -> Result<Option<Duration>, Failure> {
    let sql = "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) - min(since) FROM publications";
    let milliseconds: Option<i64> = sqlx::query_scalar(sql).fetch_one(readers).await?;
    Ok(milliseconds.map(|age| Duration::from_millis(u64::try_from(age).unwrap_or(0))))
}

/// Returns the unpublished changes of these users with one query.
pub(super) async fn unpublished(
    readers: &SqlitePool,
    users: &[(UserId, u64)],
    limits: PublishLimits,
) -> Result<Vec<Unpublished>, Failure> {
    let sql = concat!(
        "SELECT asked.place, asked.missed > ?2 AS far_behind, ",
        change_columns!(),
        ", CASE WHEN d.removed_at IS NULL AND octet_length(n.body) <= ?3 THEN n.body END AS body
         FROM (SELECT u.key AS place, i.key AS inbox, i.seq AS head, i.seq - max(p.published, u.value ->> 1) AS missed
               FROM json_each(?1) u CROSS JOIN inboxes i ON i.user_id = u.value ->> 0
               CROSS JOIN publications p ON p.inbox = i.key) asked
         CROSS JOIN changes c ON c.inbox = asked.inbox
                             AND c.seq > asked.head - CASE WHEN asked.missed > ?2 THEN 1 ELSE asked.missed END",
        join_added!()
    );
    let requested: Vec<_> = users.iter().map(|(user, after)| (user, row::seq(*after))).collect();
    let query = sqlx::query(sql).bind(serde_json::to_string(&requested)?).bind(row::limit(limits.changes));
    let mut unpublished: BTreeMap<usize, Unpublished> = BTreeMap::new();
    for row in query.bind(row::limit(limits.body_bytes)).fetch_all(readers).await? {
        let place = usize::try_from(row.try_get::<i64, _>("place")?).unwrap_or(usize::MAX);
        let Some((user_id, _)) = users.get(place) else { continue };
        let far_behind = row.try_get("far_behind")?;
        let of_user = unpublished.entry(place).or_insert_with(|| Unpublished {
            user_id: user_id.clone(),
            changes: Vec::new(),
            far_behind,
        });
        of_user.changes.push(row::change(&row)?);
    }
    let mut unpublished: Vec<_> = unpublished.into_values().collect();
    unpublished
        .iter_mut()
        .for_each(|of_user| of_user.changes.sort_unstable_by_key(|change| change.stamp.seq));
    Ok(unpublished)
}
