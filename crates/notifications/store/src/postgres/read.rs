use internal_notifications_models::{
    Change, ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, UserId,
};
use sqlx::PgConnection;

use super::database::Query;
use crate::rules::budget::{Budget, MAX_BYTES, SNAPSHOT};
use crate::sql::catch_up::{CatchUp, catch_up, of_missing_inbox, reset_reason};
use crate::sql::failure::Failure;
use crate::sql::row::{self, change_columns};

/// Joins the delivery and the notification of a record that added one. However the statement is
/// planned, it reads one row of each.
macro_rules! lookup_added {
    () => {
        " LEFT JOIN LATERAL (SELECT * FROM deliveries WHERE c.detail IS NULL AND inbox = c.inbox AND added = c.seq LIMIT 1) d ON true
          LEFT JOIN LATERAL (SELECT * FROM notifications WHERE key = d.notification LIMIT 1) n ON true "
    };
}

pub(super) use lookup_added;

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

/// The row of an inbox.
struct Inbox {
    key: i64,
    head: Head,
    floor: u64,
}

async fn find(connection: &mut PgConnection, user_id: &UserId) -> Result<Option<Inbox>, Failure> {
    let sql = "SELECT key, seq, tag, pending, floor FROM inboxes WHERE user_id = $1 AND seq > 0";
    let row: Option<(i64, i64, Option<i64>, i64, i64)> =
        sqlx::query_as(sql).bind(user_id.as_str()).fetch_optional(connection).await?;
    Ok(row.map(|(key, seq, tag, pending, floor)| {
        let head = row::head(seq, tag, pending);
        Inbox { key, head, floor: floor.cast_unsigned() }
    }))
}

impl Query for ReadHead<'_> {
    type Answer = Head;

    async fn read(&self, connection: &mut PgConnection) -> Result<Head, Failure> {
        Ok(find(connection, self.0).await?.map(|inbox| inbox.head).unwrap_or_default())
    }
}

impl Query for ReadNotification<'_> {
    type Answer = Option<InboxNotification>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Self::Answer, Failure> {
        let Self(user_id, id) = self;
        let sql = "SELECT d.added, d.created_at, d.opened_at, n.id, n.sender, n.body
                   FROM (SELECT * FROM notifications WHERE id = $1 LIMIT 1) n
                   CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE notification = n.key
                                       AND inbox = (SELECT key FROM inboxes WHERE user_id = $2) LIMIT 1) d
                   WHERE coalesce(d.removed_at, -1) = -1";
        let query = sqlx::query(sql).bind(id.as_str()).bind(user_id.as_str());
        query.fetch_optional(connection).await?.as_ref().map(row::delivery).transpose()
    }
}

impl Query for ReadPage<'_> {
    type Answer = InboxPage;

    async fn read(&self, connection: &mut PgConnection) -> Result<InboxPage, Failure> {
        match find(connection, self.user_id).await? {
            Some(inbox) => page_of(connection, &inbox, self.limit, self.before).await,
            None => Ok(InboxPage::default()),
        }
    }
}

async fn page_of(
    connection: &mut PgConnection,
    inbox: &Inbox,
    limit: usize,
    before: Option<u64>,
) -> Result<InboxPage, Failure> {
    // PostgreSQL sends every row that a query returns, so the query itself ends the page: after the
    // first row beyond the bytes of an answer.
    let sql = "SELECT added, created_at, opened_at, id, sender, body FROM (
                   SELECT d.added, d.created_at, d.opened_at, n.id, n.sender, n.body,
                          sum(octet_length(n.body)) OVER (ORDER BY d.added DESC ROWS UNBOUNDED PRECEDING) - octet_length(n.body) AS sent,
                          row_number() OVER (ORDER BY d.added DESC) AS place
                   FROM (SELECT * FROM deliveries WHERE inbox = $1 AND added < $2 AND removed_at IS NULL ORDER BY added DESC LIMIT $3) d
                   CROSS JOIN LATERAL (SELECT * FROM notifications WHERE key = d.notification LIMIT 1) n) page
               WHERE sent <= $4 OR place = 2 ORDER BY added DESC";
    let query = sqlx::query(sql).bind(inbox.key).bind(row::seq(before.unwrap_or(u64::MAX)));
    let query = query.bind(row::limit(limit.saturating_add(1))).bind(row::limit(MAX_BYTES));
    let mut notifications: Vec<InboxNotification> = Vec::new();
    let mut budget = Budget::new(limit);
    for row in query.fetch_all(connection).await? {
        if !budget.admits(row::bytes(&row, &["body"])?) {
            let next = notifications.last().map(|last| last.added);
            return Ok(InboxPage::new(inbox.head, notifications, next));
        }
        notifications.push(row::delivery(&row)?);
    }
    Ok(InboxPage::new(inbox.head, notifications, None))
}

impl Query for ReadChanges<'_> {
    type Answer = ChangesAnswer;

    async fn read(&self, connection: &mut PgConnection) -> Result<ChangesAnswer, Failure> {
        let after = self.after;
        let Some(inbox) = find(connection, self.user_id).await? else {
            return Ok(of_missing_inbox(after));
        };
        let head = inbox.head.position;
        let reason = match catch_up(after, head, inbox.floor) {
            CatchUp::Nothing => return Ok(ChangesAnswer::changes(Vec::new(), false)),
            CatchUp::Reset(reason) => reason,
            CatchUp::Records => {
                let limit = self.limit.max(1);
                let (changes, more) = records(connection, inbox.key, after.seq, limit).await?;
                let first = changes.first();
                let first = first.ok_or_else(|| Failure::unusable("the log of an inbox has a hole"))?;
                match reset_reason(after, head, first) {
                    None => return Ok(ChangesAnswer::changes(changes, more)),
                    Some(reason) => reason,
                }
            }
        };
        let snapshot = page_of(connection, &inbox, SNAPSHOT, None).await?;
        Ok(ChangesAnswer::reset(reason, snapshot))
    }
}

/// Returns records of the log, and whether there are more.
async fn records(
    connection: &mut PgConnection,
    inbox: i64,
    after: u64,
    limit: usize,
) -> Result<(Vec<Change>, bool), Failure> {
    let sql = concat!(
        "WITH records AS (SELECT ",
        change_columns!(),
        ", CASE WHEN d.removed_at IS NULL THEN n.body END AS body
         FROM (SELECT * FROM changes WHERE inbox = $1 AND seq > $2 ORDER BY seq LIMIT $3) c",
        lookup_added!(),
        "), weighed AS (SELECT *, coalesce(octet_length(body), 0) + coalesce(octet_length(detail), 0) AS bytes FROM records)
         SELECT * FROM (SELECT *, sum(bytes) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) - bytes AS sent,
                               row_number() OVER (ORDER BY seq) AS place FROM weighed) page
         WHERE sent <= $4 OR place = 2 ORDER BY seq"
    );
    let query = sqlx::query(sql).bind(inbox).bind(row::seq(after));
    let query = query.bind(row::limit(limit.saturating_add(1))).bind(row::limit(MAX_BYTES));
    let mut changes = Vec::new();
    let mut budget = Budget::new(limit);
    for row in query.fetch_all(connection).await? {
        if !budget.admits(row::bytes(&row, &["body", "detail"])?) {
            return Ok((changes, true));
        }
        changes.push(row::change(&row)?);
    }
    Ok((changes, false))
}
