use std::time::Duration;

use internal_notifications_models::{Timestamp, UserId};

use super::row;
use super::transaction::Transaction;
use crate::Advanced;
use crate::rules::rounds::Place;
use crate::sql::failure::Failure;
use crate::sql::journal::ChangeBody;

/// For one notification at a time: SQLite would look pairs of a number and a text up by the number
/// alone, and pass over every user of the notification.
const DELETE: &str =
    "DELETE FROM scheduled WHERE notification = ?1 AND user_id IN (SELECT value FROM json_each(?2))";

/// Delivers due notifications, each to at most `share` users.
#[derive(Debug)]
pub(super) struct Deliver {
    pub(super) now: Timestamp,
    pub(super) due: Vec<Place>,
    pub(super) share: usize,
}

impl Deliver {
    pub(super) async fn run(&self, transaction: &mut Transaction<'_>) -> Result<Advanced, Failure> {
        let rows = self.rows(transaction).await?;
        let mut done = Advanced::default();
        let Some((first, ..)) = rows.first() else { return Ok(done) };
        let late = self.now.as_millisecond().saturating_sub(*first);
        done.lateness = Duration::from_millis(late.max(0).cast_unsigned());
        done.delivered = rows.len() as u64;
        done.has_more = true;

        let mut inboxes = transaction.inboxes(rows.iter().map(|(.., user)| user)).await?;
        for (_, notification, user) in &rows {
            let Some(inbox) = inboxes.get_mut(user) else { continue };
            inbox.head.pending += 1;
            transaction.journal.record(inbox, self.now, ChangeBody::Added(*notification));
        }
        for of_notification in rows.chunk_by(|(_, one, _), (_, other, _)| one == other) {
            let Some((_, notification, _)) = of_notification.first() else { continue };
            let users: Vec<&UserId> = of_notification.iter().map(|(.., user)| user).collect();
            let query = sqlx::query(DELETE).bind(notification).bind(serde_json::to_string(&users)?);
            query.execute(&mut *transaction.connection).await?;
        }
        transaction.flush(inboxes).await?;
        Ok(done)
    }

    /// Returns the next rows of each notification that is not withdrawn: its due time, its key and
    /// a user.
    async fn rows(&self, transaction: &mut Transaction<'_>) -> Result<Vec<(i64, i64, UserId)>, Failure> {
        let sql = "SELECT s.due_at, s.notification, s.user_id
                   FROM json_each(?1) g
                   CROSS JOIN notifications n ON n.key = g.value ->> 1 AND NOT n.withdrawn
                   CROSS JOIN scheduled s INDEXED BY scheduled_by_due_time
                       ON s.due_at = g.value ->> 0 AND s.notification = g.value ->> 1
                       AND s.user_id <= coalesce((SELECT l.user_id FROM scheduled l INDEXED BY scheduled_by_due_time
                                                  WHERE l.due_at = g.value ->> 0 AND l.notification = g.value ->> 1
                                                  ORDER BY l.user_id LIMIT 1 OFFSET ?2), x'ff')
                   WHERE NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.notification = n.key AND w.due_at <= ?3)
                   ORDER BY g.key, s.user_id";
        let query = sqlx::query_as(sql).bind(serde_json::to_string(&self.due)?);
        let query = query.bind(row::limit(self.share - 1)).bind(self.now.as_millisecond());
        let rows: Vec<(i64, i64, String)> = query.fetch_all(&mut *transaction.connection).await?;
        rows.into_iter()
            .map(|(due_at, notification, user)| Ok((due_at, notification, UserId::new(user)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::Store;
    use crate::sqlite::{SqliteOptions, SqliteStore};

    #[tokio::test]
    async fn delivered_rows_are_deleted_without_passing_over_others() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("inbox.db").display());
        let store = SqliteStore::open(&url, SqliteOptions::default()).await.unwrap();
        let query = sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {DELETE}"))).bind(1).bind("[]");
        let plan: Vec<(i64, i64, i64, String)> = query.fetch_all(&store.readers).await.unwrap();
        let step = plan.first().map(|(.., step)| step.as_str());
        assert_eq!(step, Some("SEARCH scheduled USING PRIMARY KEY (notification=? AND user_id=?)"));
        store.close().await;
    }
}
