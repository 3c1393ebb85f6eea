use internal_notifications_models::{
    Change, ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, UserId,
};
use sqlx::PgConnection;

use super::row::{self, change_columns, join_added};
use super::work::Reading;
use crate::rules::answer::{BYTES, SNAPSHOT};
use crate::sql::catch_up::{self, Missed};
use crate::sql::failure::Failure;

/// [`Store::head`](crate::Store::head).
pub(super) struct ReadHead<'a>(pub(super) &'a UserId);

/// [`Store::notification`](crate::Store::notification).
pub(super) struct ReadNotification<'a>(pub(super) &'a UserId, pub(super) &'a NotificationId);

/// [`Store::page`](crate::Store::page).
pub(super) struct ReadPage<'a> {
    pub(super) user_id: &'a UserId,
    pub(super) limit: usize,
    pub(super) before: Option<u64>,
}

/// [`Store::changes`](crate::Store::changes).
pub(super) struct ReadChanges<'a> {
    pub(super) user_id: &'a UserId,
    pub(super) after: Position,
    pub(super) limit: usize,
}

/// An inbox as a reader found it.
struct Found {
    key: i64,
    head: Head,
    floor: u64,
}

async fn find(connection: &mut PgConnection, user_id: &UserId) -> Result<Option<Found>, Failure> {
    let sql = "SELECT key, seq, tag, pending, floor FROM inboxes WHERE user_id = $1 AND seq > 0";
    let row: Option<(i64, i64, Option<i64>, i64, i64)> =
        sqlx::query_as(sql).bind(user_id.as_str()).fetch_optional(connection).await?;
    Ok(row.map(|(key, seq, tag, pending, floor)| {
        let head = row::head(seq, tag, pending);
        Found { key, head, floor: floor.cast_unsigned() }
    }))
}

impl Reading for ReadHead<'_> {
    type Answer = Head;

    async fn read(&self, connection: &mut PgConnection) -> Result<Head, Failure> {
        Ok(find(connection, self.0).await?.map(|found| found.head).unwrap_or_default())
    }
}

impl Reading for ReadNotification<'_> {
    type Answer = Option<InboxNotification>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Self::Answer, Failure> {
        let Self(user_id, id) = self;
        let sql = "SELECT d.added, d.created_at, d.opened_at, n.id, n.sender, n.body FROM notifications n
                   JOIN inboxes i ON i.user_id = $2 JOIN deliveries d ON d.notification = n.key AND d.inbox = i.key
                   WHERE n.id = $1 AND d.removed_at IS NULL";
        let query = sqlx::query(sql).bind(id.as_str()).bind(user_id.as_str());
        Ok(query.fetch_optional(connection).await?.as_ref().map(row::delivery).transpose()?)
    }
}

impl Reading for ReadPage<'_> {
    type Answer = InboxPage;

    async fn read(&self, connection: &mut PgConnection) -> Result<InboxPage, Failure> {
        match find(connection, self.user_id).await? {
            Some(found) => page_of(connection, &found, self.limit, self.before).await,
            None => Ok(InboxPage::default()),
        }
    }
}

async fn page_of(
    connection: &mut PgConnection,
    inbox: &Found,
    limit: usize,
    before: Option<u64>,
) -> Result<InboxPage, Failure> {
    // The database sends no more than the row that is too much: it sends all that it was asked for, whether or not it is still wanted.
    let sql = "SELECT added, created_at, opened_at, id, sender, body FROM (
                   SELECT d.added, d.created_at, d.opened_at, n.id, n.sender, n.body,
                          sum(octet_length(n.body)) OVER (ORDER BY d.added DESC ROWS UNBOUNDED PRECEDING) - octet_length(n.body) AS sent,
                          row_number() OVER (ORDER BY d.added DESC) AS place
                   FROM (SELECT * FROM deliveries WHERE inbox = $1 AND added < $2 AND removed_at IS NULL ORDER BY added DESC LIMIT $3) d
                   JOIN notifications n ON n.key = d.notification) page
               WHERE sent <= $4 OR place = 2 ORDER BY added DESC";
    let query = sqlx::query(sql).bind(inbox.key).bind(row::seq(before.unwrap_or(u64::MAX)));
    let query = query.bind(row::limit(limit.saturating_add(1))).bind(row::limit(BYTES));
    let mut notifications = Vec::new();
    let (mut bytes, mut next) = (0, None);
    for row in query.fetch_all(connection).await? {
        bytes += row::weight(&row, &["body"])?;
        if notifications.len() == limit || (bytes > BYTES && !notifications.is_empty()) {
            next = notifications.last().map(|row: &InboxNotification| row.added);
            break;
        }
        notifications.push(row::delivery(&row)?);
    }
    Ok(InboxPage::new(inbox.head, notifications, next))
}

impl Reading for ReadChanges<'_> {
    type Answer = ChangesAnswer;

    async fn read(&self, connection: &mut PgConnection) -> Result<ChangesAnswer, Failure> {
        let after = self.after;
        let Some(inbox) = find(connection, self.user_id).await? else {
            return Ok(catch_up::of_nobody(after));
        };
        let head = inbox.head.position;
        let reason = match catch_up::missed(after, head, inbox.floor) {
            Missed::Nothing => return Ok(ChangesAnswer::changes(Vec::new(), false)),
            Missed::Reset(reason) => reason,
            Missed::Records => {
                let limit = self.limit.max(1);
                let (changes, more) = records(connection, inbox.key, after.seq, limit).await?;
                let first = changes.first().ok_or_else(|| Failure::unusable("the log has a hole"))?;
                match catch_up::reset(after, head, first) {
                    None => return Ok(ChangesAnswer::changes(changes, more)),
                    Some(reason) => reason,
                }
            }
        };
        let snapshot = page_of(connection, &inbox, SNAPSHOT, None).await?;
        Ok(ChangesAnswer::reset(reason, snapshot))
    }
}

async fn records(
    connection: &mut PgConnection,
    inbox: i64,
    after: u64,
    limit: usize,
) -> Result<(Vec<Change>, bool), Failure> {
    let sql = concat!(
        "WITH told AS (SELECT ",
        change_columns!(),
        ", CASE WHEN d.removed_at IS NULL THEN n.body END AS body
         FROM (SELECT * FROM changes WHERE inbox = $1 AND seq > $2 ORDER BY seq LIMIT $3) c",
        join_added!(),
        "), weighed AS (SELECT *, coalesce(octet_length(body), 0) + coalesce(octet_length(detail), 0) AS bytes FROM told)
         SELECT * FROM (SELECT *, sum(bytes) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) - bytes AS sent,
                               row_number() OVER (ORDER BY seq) AS place FROM weighed) page
         WHERE sent <= $4 OR place = 2 ORDER BY seq"
    );
    let query = sqlx::query(sql).bind(inbox).bind(row::seq(after));
    let query = query.bind(row::limit(limit.saturating_add(1))).bind(row::limit(BYTES));
    let mut changes = Vec::new();
    let mut bytes = 0;
    for row in query.fetch_all(connection).await? {
        bytes += row::weight(&row, &["body", "detail"])?;
        if changes.len() == limit || (bytes > BYTES && !changes.is_empty()) {
            return Ok((changes, true));
        }
        changes.push(row::change(&row)?);
    }
    Ok((changes, false))
}
