use internal_notifications_models::{
    Change, ChangeKind, Head, InboxNotification, InternalNotification, NotificationId, Position, Stamp, Tag,
    Timestamp,
};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::failure::Failure;

/// A head from its columns.
pub(super) fn head(seq: i64, tag: Option<i64>, pending: i64) -> Head {
    let position = Position { seq: seq.cast_unsigned(), tag: tag.map(self::tag) };
    Head { position, pending: pending.cast_unsigned() }
}

/// A tag from its column.
pub(super) fn tag(bits: i64) -> Tag {
    Tag::from_bits(bits.cast_unsigned())
}

/// A time from its column.
pub(super) fn time(milliseconds: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| Failure::unusable("a stored time is out of range"))
}

/// A seq from outside, as the database can compare it: none there is larger than `i64::MAX`.
pub(super) fn seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// A number of rows, as `LIMIT` takes it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The columns that [`change`] reads, of `changes c` with its delivery `d` and notification `n`; the body comes as `body`.
macro_rules! change_columns {
    () => {
        "c.seq, c.tag, c.prev, c.pending, c.at, c.detail, d.created_at, n.id, n.sender"
    };
}

/// The delivery and notification of a record that added one.
macro_rules! join_added {
    () => {
        " LEFT JOIN deliveries d ON c.detail IS NULL AND d.inbox = c.inbox AND d.added = c.seq
          LEFT JOIN notifications n ON n.key = d.notification "
    };
}

pub(super) use {change_columns, join_added};

/// A record of the log. An added notification is as it was then: not opened. Without a body it is told as gone.
pub(super) fn change(row: &PgRow) -> Result<Change, Failure> {
    let seq = row.try_get::<i64, _>("seq")?.cast_unsigned();
    let stamp = Stamp {
        seq,
        tag: tag(row.try_get("tag")?),
        prev: row.try_get::<Option<i64>, _>("prev")?.map(tag),
        pending: row.try_get::<i64, _>("pending")?.cast_unsigned(),
        at: time(row.try_get("at")?)?,
    };
    let kind = match row.try_get::<Option<&str>, _>("detail")? {
        Some(detail) => serde_json::from_str(detail)?,
        None if row.try_get::<Option<&str>, _>("body")?.is_some() => {
            ChangeKind::Added { notification: Box::new(added(row, seq)?) }
        }
        None => ChangeKind::Gone { id: NotificationId::new(row.try_get::<String, _>("id")?)? },
    };
    Ok(Change { stamp, kind })
}

/// A notification as it was added.
fn added(row: &PgRow, added: u64) -> Result<InboxNotification, Failure> {
    let notification: InternalNotification = serde_json::from_str(row.try_get("body")?)?;
    let id = NotificationId::new(row.try_get::<String, _>("id")?)?;
    let created_at = time(row.try_get("created_at")?)?;
    Ok(InboxNotification::new(id, notification, row.try_get::<String, _>("sender")?, created_at, added))
}

/// A notification as it is now.
pub(super) fn delivery(row: &PgRow) -> Result<InboxNotification, Failure> {
    let mut notification = added(row, row.try_get::<i64, _>("added")?.cast_unsigned())?;
    notification.set_opened(row.try_get::<Option<i64>, _>("opened_at")?.map(time).transpose()?);
    Ok(notification)
}

/// The bytes of a row's texts, as pages are bounded by them.
pub(super) fn weight(row: &PgRow, columns: &[&str]) -> Result<usize, Failure> {
    columns
        .iter()
        .try_fold(0, |sum, column| Ok(sum + row.try_get::<Option<&str>, _>(*column)?.map_or(0, str::len)))
}
