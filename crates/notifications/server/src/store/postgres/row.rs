use internal_notifications_models::{Head, Position};
use sqlx::postgres::PgRow;

use super::failure::Failure;
pub(super) use crate::store::row::*;

columns_of!(PgRow, Failure);

/// A head from its columns.
pub(super) fn head(seq: i64, tag: Option<i64>, pending: i64) -> Head {
    let position = Position { seq: seq.cast_unsigned(), tag: tag.map(self::tag) };
    Head::new(position, pending.cast_unsigned())
}
