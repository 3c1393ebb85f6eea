use internal_notifications_models::{
    ChangeKind, Head, NotificationId, Position, RemovedReason, UserId, WriteAnswer,
};
use sqlx::PgConnection;

use super::row;
use super::transaction::Transaction;
use super::work::{Ended, Writing};
use crate::sql::failure::Failure;
use crate::sql::journal::{ChangeBody, Inbox};
use crate::sql::order::in_the_order_asked;
use crate::{InboxCommand, StoreError, StoreErrorKind, Write};

/// A write in a user's own inbox.
pub(super) struct InboxWrite(pub(super) UserId, pub(super) Write);

impl Writing for InboxWrite {
    type Answer = WriteAnswer;

    async fn write(&self, transaction: &mut Transaction<'_>) -> Result<Ended<WriteAnswer>, Failure> {
        let Self(user_id, write) = self;
        let mut inboxes = transaction.lock_inboxes(&[user_id.as_str()]).await?;
        // One that is not there is empty: nothing in it can change.
        let inbox = inboxes.entry(user_id.clone()).or_insert_with(|| Inbox::new(0, Head::default()));
        let nothing = WriteAnswer::new(None, inbox.head);
        let op = write.op.as_ref().map(|op| op.as_str().to_owned());
        if let Some(op) = &op
            && is_done(transaction.connection, inbox.key, op).await?
        {
            return Ok(Ended::Rollback(Ok(nothing)));
        }
        let at = write.at.as_millisecond();
        let kind = match apply(transaction.connection, inbox, &write.command, at).await? {
            Ok(Some(kind)) => kind,
            Ok(None) => return Ok(Ended::Rollback(Ok(nothing))),
            Err(refused) => {
                return Ok(Ended::Rollback(Err(StoreError::new(refused).with_head(inbox.head))));
            }
        };
        let detail = serde_json::to_string(&kind)?;
        let seq = transaction.journal.record(inbox, write.at, ChangeBody::Other { detail, op });
        let answer = WriteAnswer::new(Some(seq), inbox.head);
        transaction.flush(inboxes).await?;
        Ok(Ended::Commit(answer))
    }
}

async fn is_done(connection: &mut PgConnection, inbox: i64, op: &str) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM changes WHERE inbox = $1 AND op = $2)";
    Ok(sqlx::query_scalar(sql).bind(inbox).bind(op).fetch_one(connection).await?)
}

/// The effect on the deliveries and the pending count, and the change that it makes.
async fn apply(
    connection: &mut PgConnection,
    inbox: &mut Inbox,
    kind: &InboxCommand,
    at: i64,
) -> Result<Result<Option<ChangeKind>, StoreErrorKind>, Failure> {
    Ok(Ok(match kind {
        InboxCommand::Opened(ids) => {
            let sql = "UPDATE deliveries d SET opened_at = $3 FROM notifications n
                       WHERE n.id = ANY($2) AND d.notification = n.key AND d.inbox = $1
                         AND d.opened_at IS NULL AND d.removed_at IS NULL RETURNING n.id";
            let ids = mark(connection, sql, inbox.key, ids, Some(at)).await?;
            inbox.head.pending = inbox.head.pending.saturating_sub(ids.len() as u64);
            (!ids.is_empty()).then_some(ChangeKind::Opened { ids })
        }
        InboxCommand::Unopened(ids) => {
            let sql = "UPDATE deliveries d SET opened_at = $3 FROM notifications n
                       WHERE n.id = ANY($2) AND d.notification = n.key AND d.inbox = $1
                         AND d.opened_at IS NOT NULL AND d.removed_at IS NULL RETURNING n.id";
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
            let sql = "UPDATE deliveries SET removed_at = $3
                       WHERE inbox = $1 AND removed_at IS NULL AND notification = (SELECT key FROM notifications WHERE id = $2)
                       RETURNING opened_at IS NULL";
            let query = sqlx::query_scalar(sql).bind(inbox.key).bind(id.as_str()).bind(at);
            let pending: Option<bool> = query.fetch_optional(connection).await?;
            let Some(pending) = pending else { return Ok(Err(StoreErrorKind::NotFound)) };
            inbox.head.pending = inbox.head.pending.saturating_sub(u64::from(pending));
            Some(ChangeKind::Removed { ids: vec![id.clone()], reason: RemovedReason::User })
        }
        // A command of a newer service crate, which nothing here sends.
        _ => return Err(Failure::unusable("this store does not know the command")),
    }))
}

/// Whether a record has the tag that the caller saw there; without a tag there is nothing to compare. The inbox tells the newest one's, the
/// next record any other's: they are there also where the record itself was trimmed.
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

/// Marks deliveries, and says which changed, each once, in the order asked.
async fn mark(
    connection: &mut PgConnection,
    sql: &'static str,
    inbox: i64,
    ids: &[NotificationId],
    opened_at: Option<i64>,
) -> Result<Vec<NotificationId>, Failure> {
    let asked: Vec<&str> = ids.iter().map(NotificationId::as_str).collect();
    let query = sqlx::query_scalar(sql).bind(inbox).bind(asked).bind(opened_at);
    Ok(in_the_order_asked(ids, query.fetch_all(connection).await?)?)
}
