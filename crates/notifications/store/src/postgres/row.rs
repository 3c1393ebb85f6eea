pub(super) use crate::sql::row::*;
use internal_notifications_models::{Head, Position};

/// A head from its columns.
pub(super) fn head(seq: i64, tag: Option<i64>, pending: i64) -> Head {
    let position = Position { seq: seq.cast_unsigned(), tag: tag.map(self::tag) };
    Head::new(position, pending.cast_unsigned())
}
