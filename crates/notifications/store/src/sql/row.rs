use internal_notifications_models::{
    Change, ChangeKind, Head, InboxNotification, InternalNotification, NotificationId, Position, Stamp, Tag,
    Timestamp,
};

use crate::sql::failure::Failure;

/// Access to the columns of a row of either database.
pub(crate) trait Columns {
    fn number(&self, column: &str) -> Result<i64, sqlx::Error>;
    fn number_if_any(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
    fn text(&self, column: &str) -> Result<&str, sqlx::Error>;
    fn text_if_any(&self, column: &str) -> Result<Option<&str>, sqlx::Error>;
    /// Null is false.
    fn flag(&self, column: &str) -> Result<bool, sqlx::Error>;
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

            fn flag(&self, column: &str) -> Result<bool, sqlx::Error> {
                Ok(sqlx::Row::try_get::<Option<bool>, _>(self, column)?.unwrap_or(false))
            }
        }
    };
}

#[cfg(feature = "postgres")]
impl_columns!(sqlx::postgres::PgRow);
#[cfg(feature = "sqlite")]
impl_columns!(sqlx::sqlite::SqliteRow);

/// Returns the tag that a column holds.
pub(crate) fn tag(bits: i64) -> Tag {
    Tag::from_bits(bits.cast_unsigned())
}

/// Returns the head that the columns of an inbox hold.
pub(crate) fn head(seq: i64, tag: Option<i64>, pending: i64) -> Head {
    let position = Position { seq: unsigned(seq), tag: tag.map(self::tag) };
    Head::new(position, unsigned(pending))
}

/// Returns a number that is never negative, unless the database is damaged: then 0, since one near
/// the largest would overflow.
pub(crate) fn unsigned(number: i64) -> u64 {
    number.max(0).cast_unsigned()
}

/// Returns a seq in the form in which databases compare it. No stored seq exceeds `i64::MAX`.
pub(crate) fn seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Returns a number of rows in the form that `LIMIT` takes.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The columns that [`change`] reads from `changes c`, its delivery `d` and its notification `n`.
/// It also reads a column `body`.
macro_rules! change_columns {
    () => {
        "c.seq, c.tag, c.prev, c.pending, c.at, c.detail, d.created_at, n.id, n.sender"
    };
}

pub(crate) use change_columns;

/// Reads a record of the log.
///
/// A notification is returned as it was added, not opened. Without a body, the record is `Gone`.
pub(crate) fn change(row: &impl Columns) -> Result<Change, Failure> {
    let seq = unsigned(row.number("seq")?);
    let before = Position { seq: seq.saturating_sub(1), tag: row.number_if_any("prev")?.map(tag) };
    let pending = unsigned(row.number("pending")?);
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

/// Reads a notification as it was added.
fn added(row: &impl Columns, added: u64) -> Result<InboxNotification, Failure> {
    let notification: InternalNotification = serde_json::from_str(row.text("body")?)?;
    let id = NotificationId::new(row.text("id")?)?;
    Ok(InboxNotification::new(id, notification, row.text("sender")?, time(row.number("created_at")?)?, added))
}

/// Reads a notification as it is now.
pub(crate) fn delivery(row: &impl Columns) -> Result<InboxNotification, Failure> {
    let mut notification = added(row, unsigned(row.number("added")?))?;
    notification.set_opened(row.number_if_any("opened_at")?.map(time).transpose()?);
    Ok(notification)
}

/// Returns the bytes of these columns, which the [`Budget`](crate::rules::budget::Budget) of an
/// answer bounds.
pub(crate) fn bytes(row: &impl Columns, columns: &[&str]) -> Result<usize, sqlx::Error> {
    columns.iter().try_fold(0, |sum, column| Ok(sum + row.text_if_any(column)?.map_or(0, str::len)))
}

fn time(milliseconds: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| Failure::unusable("a stored time is out of range"))
}
