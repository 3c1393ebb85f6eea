use internal_notifications_models::{
    Change, ChangeKind, InboxNotification, InternalNotification, NotificationId, Position, Stamp, Tag,
    Timestamp,
};

use crate::sql::failure::Failure;

/// A row of either database.
pub(crate) trait Columns {
    fn number(&self, column: &str) -> Result<i64, sqlx::Error>;
    fn number_if_any(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
    fn text(&self, column: &str) -> Result<&str, sqlx::Error>;
    fn text_if_any(&self, column: &str) -> Result<Option<&str>, sqlx::Error>;
}

/// Implements [`Columns`] for a database's rows.
macro_rules! impl_columns {
    ($row:ty) => {
        impl Columns for $row {
            fn number(&self, column: &str) -> Result<i64, sqlx::Error> {
                sqlx::Row::try_get(self, column)
            }

            fn number_if_any(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
                sqlx::Row::try_get(self, column)
            }

            fn text(&self, column: &str) -> Result<&str, sqlx::Error> {
                sqlx::Row::try_get(self, column)
            }

            fn text_if_any(&self, column: &str) -> Result<Option<&str>, sqlx::Error> {
                sqlx::Row::try_get(self, column)
            }
        }
    };
}

#[cfg(feature = "postgres")]
impl_columns!(sqlx::postgres::PgRow);
#[cfg(feature = "sqlite")]
impl_columns!(sqlx::sqlite::SqliteRow);

/// A tag from its column.
pub(crate) fn tag(bits: i64) -> Tag {
    Tag::from_bits(bits.cast_unsigned())
}

/// A seq from outside, as the database can compare it: none there is larger than `i64::MAX`.
pub(crate) fn seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// A number of rows, as `LIMIT` takes it.
pub(crate) fn limit(rows: usize) -> i64 {
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

pub(crate) use {change_columns, join_added};

/// A record of the log. An added notification is as it was then: not opened. Without a body it is told as gone.
pub(crate) fn change(row: &impl Columns) -> Result<Change, Failure> {
    let seq = row.number("seq")?.cast_unsigned();
    let before = Position { seq: seq.saturating_sub(1), tag: row.number_if_any("prev")?.map(tag) };
    let pending = row.number("pending")?.cast_unsigned();
    let stamp = Stamp::after(before, tag(row.number("tag")?), pending, time(row.number("at")?)?);
    let kind = match row.text_if_any("detail")? {
        Some(detail) => serde_json::from_str(detail)?,
        None if row.text_if_any("body")?.is_some() => {
            ChangeKind::Added { notification: Box::new(added(row, seq)?) }
        }
        None => ChangeKind::Gone { id: NotificationId::new(row.text("id")?)? },
    };
    Ok(Change::new(stamp, kind))
}

/// A notification as it was added.
fn added(row: &impl Columns, added: u64) -> Result<InboxNotification, Failure> {
    let notification: InternalNotification = serde_json::from_str(row.text("body")?)?;
    let id = NotificationId::new(row.text("id")?)?;
    Ok(InboxNotification::new(id, notification, row.text("sender")?, time(row.number("created_at")?)?, added))
}

/// A notification as it is now.
pub(crate) fn delivery(row: &impl Columns) -> Result<InboxNotification, Failure> {
    let mut notification = added(row, row.number("added")?.cast_unsigned())?;
    notification.set_opened(row.number_if_any("opened_at")?.map(time).transpose()?);
    Ok(notification)
}

/// The bytes of a row's texts, as pages are bounded by them.
pub(crate) fn weight(row: &impl Columns, columns: &[&str]) -> Result<usize, sqlx::Error> {
    columns.iter().try_fold(0, |sum, column| Ok(sum + row.text_if_any(column)?.map_or(0, str::len)))
}

fn time(milliseconds: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| sqlx::Error::Decode("a stored time is out of range".into()))
}
