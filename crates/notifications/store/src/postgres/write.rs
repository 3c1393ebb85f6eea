use internal_notifications_models::{
    ChangeKind, Head, NotificationId, Position, RemovedReason, UserId, WriteAnswer,
};
use sqlx::PgConnection;

use super::database::{Mutation, Outcome};
use super::transaction::Transaction;
use crate::sql::failure::Failure;
use crate::sql::journal::{ChangeBody, Inbox};
use crate::sql::order::in_request_order;
use crate::sql::row;
use crate::{InboxCommand, StoreError, StoreErrorKind, Write};

/// The rows of notifications in a locked inbox. A statement's first parameter is the key of the
/// inbox, its second the ids.
///
/// Without statistics, PostgreSQL would read the whole inbox rather than a row for each id. The
/// statements test columns with `coalesce` to keep it from indexes of rows that are not removed.
macro_rules! rows_of_ids {
    () => {
        "ARRAY(SELECT d.ctid FROM unnest($2::text[]) r (id)
               CROSS JOIN LATERAL (SELECT key FROM notifications WHERE id = r.id LIMIT 1) n
               CROSS JOIN LATERAL (SELECT ctid, notification, inbox FROM deliveries WHERE (notification, inbox) >= (n.key, $1)
                                   ORDER BY notification, inbox LIMIT 1) d
               WHERE d.notification = n.key AND d.inbox = $1)"
    };
}

/// A write in a user's own inbox.
pub(super) struct InboxWrite(pub(super) UserId, pub(super) Write);

impl Mutation for InboxWrite {
    type Answer = WriteAnswer;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Outcome<WriteAnswer>, Failure> {
        let Self(user_id, write) = self;
        let mut inboxes = transaction.lock_inboxes(&[user_id.as_str()]).await?;
        // A missing inbox is empty, so a write changes nothing in it.
        let inbox = inboxes.entry(user_id.clone()).or_insert_with(|| Inbox::new(0, Head::default()));
        let nothing = WriteAnswer::new(None, inbox.head);
        let op = write.op.as_ref().map(|op| op.as_str().to_owned());
        if let Some(op) = &op
            && is_done(transaction.connection, inbox.key, op).await?
        {
            return Ok(Outcome::Rollback(Ok(nothing)));
        }
        let at = write.at.as_millisecond();
        let kind = match apply(transaction.connection, inbox, &write.command, at).await? {
            Ok(Some(kind)) => kind,
            Ok(None) => return Ok(Outcome::Rollback(Ok(nothing))),
            Err(rejected) => {
                return Ok(Outcome::Rollback(Err(StoreError::new(rejected).with_head(inbox.head))));
            }
        };
        let detail = serde_json::to_string(&kind)?;
        let seq = transaction.journal.record(inbox, write.at, ChangeBody::Other { detail, op });
        let answer = WriteAnswer::new(Some(seq), inbox.head);
        transaction.flush(inboxes).await?;
        Ok(Outcome::Commit(answer))
    }
}

async fn is_done(connection: &mut PgConnection, inbox: i64, op: &str) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM changes WHERE inbox = $1 AND op = $2)";
    Ok(sqlx::query_scalar(sql).bind(inbox).bind(op).fetch_one(connection).await?)
}

/// Applies a command to the deliveries and the pending count, and returns the change, if any.
async fn apply(
    connection: &mut PgConnection,
    inbox: &mut Inbox,
    kind: &InboxCommand,
    at: i64,
) -> Result<Result<Option<ChangeKind>, StoreErrorKind>, Failure> {
    Ok(Ok(match kind {
        InboxCommand::Opened(ids) => {
            let sql = concat!(
                "UPDATE deliveries SET opened_at = $3 WHERE ctid = ANY(",
                rows_of_ids!(),
                ") AND coalesce(opened_at, -1) = -1 AND coalesce(removed_at, -1) = -1 RETURNING (SELECT id FROM notifications WHERE key = notification)"
            );
            let ids = mark(connection, sql, inbox.key, ids, Some(at)).await?;
            inbox.head.pending = inbox.head.pending.saturating_sub(ids.len() as u64);
            (!ids.is_empty()).then_some(ChangeKind::Opened { ids })
        }
        InboxCommand::Unopened(ids) => {
            let sql = concat!(
                "UPDATE deliveries SET opened_at = $3 WHERE ctid = ANY(",
                rows_of_ids!(),
                ") AND opened_at IS NOT NULL AND coalesce(removed_at, -1) = -1 RETURNING (SELECT id FROM notifications WHERE key = notification)"
            );
            let ids = mark(connection, sql, inbox.key, ids, None).await?;
            inbox.head.pending += ids.len() as u64;
            (!ids.is_empty()).then_some(ChangeKind::Unopened { ids })
        }
        InboxCommand::OpenedAll { through, tag } => {
            let head = inbox.head.position;
            let seen = Position { seq: through.unwrap_or(head.seq), tag: *tag };
            if seen.seq > head.seq || !is_of_this_history(connection, inbox, seen).await? {
                return Ok(Err(StoreErrorKind::Diverged));
            }
            let sql = "UPDATE deliveries SET opened_at = $3
                       WHERE inbox = $1 AND added <= $2 AND opened_at IS NULL AND removed_at IS NULL";
            let query = sqlx::query(sql).bind(inbox.key).bind(row::seq(seen.seq)).bind(at);
            let opened = query.execute(connection).await?.rows_affected();
            inbox.head.pending = inbox.head.pending.saturating_sub(opened);
            (opened > 0).then_some(ChangeKind::OpenedAll { through: seen.seq })
        }
        InboxCommand::Remove(id) => {
            let sql = concat!(
                "UPDATE deliveries SET removed_at = $3 WHERE ctid = ANY(",
                rows_of_ids!(),
                ") AND coalesce(removed_at, -1) = -1 RETURNING opened_at IS NULL"
            );
            let query = sqlx::query_scalar(sql).bind(inbox.key).bind([id.as_str()]).bind(at);
            let pending: Option<bool> = query.fetch_optional(connection).await?;
            let Some(pending) = pending else { return Ok(Err(StoreErrorKind::NotFound)) };
            inbox.head.pending = inbox.head.pending.saturating_sub(u64::from(pending));
            Some(ChangeKind::Removed { ids: vec![id.clone()], reason: RemovedReason::User })
        }
        // The enum may grow, but nothing sends a command that this version does not know.
        _ => return Err(Failure::unusable("the store does not know this command")),
    }))
}

/// Returns whether the record at a position has the tag that the caller saw, if it saw one.
///
/// The inbox holds the tag of its newest record, and each record the tag of the one before it. So
/// the tag of the last trimmed record is still known.
async fn is_of_this_history(
    connection: &mut PgConnection,
    inbox: &Inbox,
    seen: Position,
) -> Result<bool, Failure> {
    let head = inbox.head.position;
    if seen.tag.is_none() || seen.seq == head.seq {
        return Ok(seen.tag.is_none() || seen == head);
    }
    let sql = "SELECT prev FROM changes WHERE inbox = $1 AND seq = $2 + 1";
    let query = sqlx::query_scalar(sql).bind(inbox.key).bind(row::seq(seen.seq));
    let tag: Option<Option<i64>> = query.fetch_optional(connection).await?;
    Ok(tag.flatten().map(row::tag) == seen.tag)
}

/// Marks deliveries, and returns the ids that changed, in the order in which they were requested.
async fn mark(
    connection: &mut PgConnection,
    sql: &'static str,
    inbox: i64,
    ids: &[NotificationId],
    opened_at: Option<i64>,
) -> Result<Vec<NotificationId>, Failure> {
    let requested: Vec<&str> = ids.iter().map(NotificationId::as_str).collect();
    let query = sqlx::query_scalar(sql).bind(inbox).bind(requested).bind(opened_at);
    Ok(in_request_order(ids, query.fetch_all(connection).await?)?)
}
