use futures_util::TryStreamExt;
use internal_notifications_models::{
    Change, ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, UserId,
};
use sqlx::{SqliteConnection, SqlitePool};

use super::row::{self, change_columns, join_added};
use crate::rules::answer::{BYTES, SNAPSHOT};
use crate::sql::catch_up::{self, Missed};
use crate::sql::failure::Failure;

/// An inbox as a reader found it.
struct Found {
    key: i64,
    head: Head,
    floor: u64,
}

async fn find(connection: &mut SqliteConnection, user_id: &UserId) -> Result<Option<Found>, Failure> {
    let sql = "SELECT key, seq, tag, pending, floor FROM inboxes WHERE user_id = ?1";
    let row: Option<(i64, i64, i64, i64, i64)> =
        sqlx::query_as(sql).bind(user_id.as_str().to_owned()).fetch_optional(connection).await?;
    Ok(row.map(|(key, seq, tag, pending, floor)| {
        let head = row::head(seq, tag, pending);
        Found { key, head, floor: floor.cast_unsigned() }
    }))
}

pub(super) async fn ping(readers: &SqlitePool) -> Result<(), Failure> {
    sqlx::query("SELECT 1 FROM settings LIMIT 1").fetch_optional(readers).await?;
    Ok(())
}

pub(super) async fn head(readers: &SqlitePool, user_id: &UserId) -> Result<Head, Failure> {
    let found = find(&mut *readers.acquire().await?, user_id).await?;
    Ok(found.map(|found| found.head).unwrap_or_default())
}

pub(super) async fn notification(
    readers: &SqlitePool,
    user_id: &UserId,
    id: &NotificationId,
) -> Result<Option<InboxNotification>, Failure> {
    let sql = "SELECT d.added, d.created_at, d.opened_at, n.id, n.sender, n.body FROM notifications n
               CROSS JOIN inboxes i CROSS JOIN deliveries d ON d.notification = n.key AND d.inbox = i.key
               WHERE n.id = ?1 AND i.user_id = ?2 AND d.removed_at IS NULL";
    let query = sqlx::query(sql).bind(id.as_str().to_owned()).bind(user_id.as_str().to_owned());
    Ok(query.fetch_optional(readers).await?.as_ref().map(row::delivery).transpose()?)
}

pub(super) async fn page(
    readers: &SqlitePool,
    user_id: &UserId,
    limit: usize,
    before: Option<u64>,
) -> Result<InboxPage, Failure> {
    let mut moment = readers.begin().await?;
    match find(&mut moment, user_id).await? {
        Some(found) => page_of(&mut moment, &found, limit, before).await,
        None => Ok(InboxPage::default()),
    }
}

async fn page_of(
    connection: &mut SqliteConnection,
    inbox: &Found,
    limit: usize,
    before: Option<u64>,
) -> Result<InboxPage, Failure> {
    let sql = "SELECT d.added, d.created_at, d.opened_at, n.id, n.sender, n.body
               FROM deliveries d CROSS JOIN notifications n ON n.key = d.notification
               WHERE d.inbox = ?1 AND d.added < ?2 AND d.removed_at IS NULL ORDER BY d.added DESC LIMIT ?3";
    let query = sqlx::query(sql).bind(inbox.key).bind(row::seq(before.unwrap_or(u64::MAX)));
    let mut rows = query.bind(row::limit(limit.saturating_add(1))).fetch(connection);
    let mut notifications = Vec::new();
    let (mut bytes, mut next) = (0, None);
    while let Some(row) = rows.try_next().await? {
        bytes += row::weight(&row, &["body"])?;
        if notifications.len() == limit || (bytes > BYTES && !notifications.is_empty()) {
            next = notifications.last().map(|row: &InboxNotification| row.added);
            break;
        }
        notifications.push(row::delivery(&row)?);
    }
    Ok(InboxPage::new(inbox.head, notifications, next))
}

pub(super) async fn changes(
    readers: &SqlitePool,
    user_id: &UserId,
    after: Position,
    limit: usize,
) -> Result<ChangesAnswer, Failure> {
    let mut moment = readers.begin().await?;
    let Some(inbox) = find(&mut moment, user_id).await? else {
        return Ok(catch_up::of_nobody(after));
    };
    let head = inbox.head.position;
    let reason = match catch_up::missed(after, head, inbox.floor) {
        Missed::Nothing => return Ok(ChangesAnswer::changes(Vec::new(), false)),
        Missed::Reset(reason) => reason,
        Missed::Records => {
            let limit = limit.max(1);
            let (changes, more) = records(&mut moment, inbox.key, after.seq, limit).await?;
            let first = changes.first().ok_or_else(|| Failure::unusable("the log has a hole"))?;
            match catch_up::reset(after, head, first) {
                None => return Ok(ChangesAnswer::changes(changes, more)),
                Some(reason) => reason,
            }
        }
    };
    let snapshot = page_of(&mut moment, &inbox, SNAPSHOT, None).await?;
    Ok(ChangesAnswer::reset(reason, snapshot))
}

async fn records(
    connection: &mut SqliteConnection,
    inbox: i64,
    after: u64,
    limit: usize,
) -> Result<(Vec<Change>, bool), Failure> {
    let sql = concat!(
        "SELECT ",
        change_columns!(),
        ", CASE WHEN d.removed_at IS NULL THEN n.body END AS body FROM changes c",
        join_added!(),
        "WHERE c.inbox = ?1 AND c.seq > ?2 ORDER BY c.seq LIMIT ?3"
    );
    let query = sqlx::query(sql).bind(inbox).bind(row::seq(after));
    let mut rows = query.bind(row::limit(limit.saturating_add(1))).fetch(connection);
    let mut changes = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await? {
        bytes += row::weight(&row, &["body", "detail"])?;
        if changes.len() == limit || (bytes > BYTES && !changes.is_empty()) {
            return Ok((changes, true));
        }
        changes.push(row::change(&row)?);
    }
    Ok((changes, false))
}
