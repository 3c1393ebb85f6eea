use internal_notifications_models::UserId;
use sqlx::sqlite::SqliteRow;

use crate::sql::failure::Failure;
use crate::sql::journal::Inbox;
pub(super) use crate::sql::row::*;

/// Joins the delivery and the notification of a record that added one.
macro_rules! join_added {
    () => {
        " LEFT JOIN deliveries d ON c.detail IS NULL AND d.inbox = c.inbox AND d.added = c.seq
          LEFT JOIN notifications n ON n.key = d.notification "
    };
}

pub(super) use join_added;

/// Reads an inbox and its user from the columns `user_id`, `key`, `seq`, `tag` and `pending`.
pub(super) fn inbox(row: &SqliteRow) -> Result<(UserId, Inbox), Failure> {
    let head = head(row.number("seq")?, Some(row.number("tag")?), row.number("pending")?);
    Ok((UserId::new(row.text("user_id")?)?, Inbox::new(row.number("key")?, head)))
}
