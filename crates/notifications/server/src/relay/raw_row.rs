use super::source::{IntentRow, PendingIntent};

/// The most bytes of a row's recipients: 10,000 ids of 120 characters, and some white space.
pub(super) const USER_IDS_BYTES: i64 = 2 * 1024 * 1024;
/// The most bytes of a row's body. The parsed body is measured again.
pub(super) const BODY_BYTES: i64 = 1024 * 1024;

/// A row as the databases return it: its key, and its columns as bytes, `None` for those that are
/// too large.
pub(super) type RawRow = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);

pub(super) fn decode((key, id, sender, user_ids, body): RawRow) -> PendingIntent {
    let text = |bytes: Option<Vec<u8>>| {
        String::from_utf8(bytes.ok_or("a column is too large")?).map_err(|_| "a column is not UTF-8")
    };
    let row = || Ok(IntentRow::new(text(id)?, text(sender)?, text(user_ids)?, text(body)?));
    PendingIntent::new(key, row())
}
