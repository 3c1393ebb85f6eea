use super::source::{IntentRow, PendingIntent};

/// The most bytes of a row's recipients: 10,000 ids of 120 characters, and some white space.
pub(super) const USER_IDS_BYTES: i64 = 2 * 1024 * 1024;
/// The most bytes of a row's body. The parsed body is measured again.
pub(super) const BODY_BYTES: i64 = 1024 * 1024;

/// The most bytes of the rows that are taken together.
const TAKEN_BYTES: i64 = 16 * 1024 * 1024;

/// Returns the keys of as many of the first rows, of which the sizes are given, as may be taken
/// together: at least one.
pub(super) fn taken_together(sizes: Vec<(i64, i64)>) -> Vec<i64> {
    let mut bytes = 0_i64;
    let fits = |&(_, size): &(i64, i64)| {
        let is_first = bytes == 0;
        bytes = bytes.saturating_add(size);
        is_first || bytes <= TAKEN_BYTES
    };
    sizes.into_iter().take_while(fits).map(|(key, _)| key).collect()
}

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
