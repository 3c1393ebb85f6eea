use internal_notifications_models::{Head, Position, UserId};
use sqlx::sqlite::SqliteRow;

use crate::sql::failure::Failure;
use crate::sql::journal::Inbox;
pub(super) use crate::sql::row::*;

/// A head from its columns.
pub(super) fn head(seq: i64, tag: i64, pending: i64) -> Head {
    let position = Position { seq: seq.cast_unsigned(), tag: Some(self::tag(tag)) };
    Head::new(position, pending.cast_unsigned())
}

/// An inbox with its user, from the columns `user_id, key, seq, tag, pending`.
pub(super) fn inbox(row: &SqliteRow) -> Result<(UserId, Inbox), Failure> {
    let head = head(row.number("seq")?, row.number("tag")?, row.number("pending")?);
    Ok((UserId::new(row.text("user_id")?)?, Inbox::new(row.number("key")?, head)))
}
